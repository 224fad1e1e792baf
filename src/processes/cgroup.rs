//! What /proc/PID/cgroup says: the systemd unit and the container.

/// A container, by what its path in the cgroups says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Container {
    /// 64 hexadecimal digits.
    pub(super) id: String,
    /// The uid of the Kubernetes pod, with hyphens.
    pub(super) pod: Option<String>,
}

/// The systemd unit: the last service on the path.
pub(super) fn unit(text: &str) -> Option<String> {
    let paths = text.lines().take(64).filter_map(|line| line.splitn(3, ':').nth(2));
    let units = paths.flat_map(|path| path.split('/')).filter(|part| part.ends_with(".service"));
    units.last().map(str::to_owned)
}

/// The container.
pub(super) fn container(text: &str) -> Option<Container> {
    for path in text.lines().take(64).filter_map(|line| line.splitn(3, ':').nth(2)) {
        for part in path.split('/').rev() {
            // docker-ID.scope, libpod-ID.scope, cri-containerd-ID.scope, crio-ID.scope, ID
            let id = part.trim_end_matches(".scope").rsplit(['-', ':']).next().unwrap_or_default();
            if id.len() == 64 && id.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                return Some(Container { id: id.to_owned(), pod: pod(path) });
            }
        }
    }
    None
}

/// `…/pod1234abcd-…/…` or `…/kubepods-burstable-pod1234abcd_….slice/…`.
fn pod(path: &str) -> Option<String> {
    path.split('/').find_map(|part| {
        let (_, uid) = part.trim_end_matches(".slice").rsplit_once("pod")?;
        let is_uid =
            uid.len() == 36 && uid.bytes().all(|byte| byte.is_ascii_hexdigit() || b"-_".contains(&byte));
        is_uid.then(|| uid.replace('_', "-"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    #[test]
    fn units_and_containers_are_told_by_their_paths() {
        for (path, expected, uid) in [
            ("0::/system.slice/nginx.service", None, None),
            (&format!("0::/system.slice/docker-{ID}.scope"), Some(ID), None),
            (&format!("12:pids:/docker/{ID}\n0::/x"), Some(ID), None),
            (&format!("0::/machine.slice/libpod-{ID}.scope/container"), Some(ID), None),
            (
                &format!(
                    "0::/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod1b4e28ba_2fa1_11d2_883f_0016d3cca427.slice/cri-containerd-{ID}.scope"
                ),
                Some(ID),
                Some("1b4e28ba-2fa1-11d2-883f-0016d3cca427"),
            ),
            (
                &format!("0::/kubepods/pod1b4e28ba-2fa1-11d2-883f-0016d3cca427/{ID}"),
                Some(ID),
                Some("1b4e28ba-2fa1-11d2-883f-0016d3cca427"),
            ),
            ("0::/user.slice/session-1.scope", None, None),
        ] {
            let found = container(path);
            assert_eq!(found.as_ref().map(|one| one.id.as_str()), expected, "{path}");
            assert_eq!(found.and_then(|one| one.pod).as_deref(), uid, "{path}");
        }
        assert_eq!(unit("0::/system.slice/nginx.service").as_deref(), Some("nginx.service"));
        assert_eq!(unit("0::/user.slice/user-0.slice/session-1.scope"), None);
    }
}
