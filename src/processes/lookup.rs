//! From an address to the process, by /proc and by what container engines keep on disk.

use std::collections::HashSet;
use std::fs;
use std::io::Read;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::{cgroup, sockets};
use crate::model::ServerProcess;

/// Processes that are looked at, at most.
const MAX_PROCESSES: usize = 65_536;
/// Network namespaces that are looked at, at most.
const MAX_NAMESPACES: usize = 256;
/// Descriptors of one process that are looked at, at most.
const MAX_DESCRIPTORS: usize = 65_536;
/// Bytes of one file that are read, at most.
const MAX_FILE: u64 = 16 << 20;
/// Programs that run a script, which is what people call the program.
const INTERPRETERS: [&str; 8] = ["python", "node", "ruby", "perl", "php", "sh", "bash", "java"];

/// Looks below a root, which is `/` but in tests.
#[derive(Debug)]
pub(super) struct Lookup {
    root: PathBuf,
}

impl Lookup {
    pub(super) fn new(root: &Path) -> Self {
        Self { root: root.to_owned() }
    }

    /// Who listens at `address`: in this network namespace, else in that of a container which has it.
    pub(super) fn find(&mut self, address: SocketAddr) -> Option<ServerProcess> {
        let pids = self.pids();
        let (mut seen, ip) = (HashSet::new(), address.ip().to_canonical());
        for pid in std::iter::once("self".to_owned()).chain(pids.iter().map(u32::to_string)) {
            let Some(namespace) = self.namespace(&pid) else { continue };
            if seen.len() >= MAX_NAMESPACES || !seen.insert(namespace.clone()) {
                continue;
            }
            let table = |name: &str| self.text(&format!("proc/{pid}/net/{name}")).unwrap_or_default();
            if !sockets::is_local(ip, &table("fib_trie"), &table("if_inet6")) {
                continue;
            }
            let tables = [table("tcp"), table("tcp6")];
            let listeners = tables.iter().flat_map(|table| sockets::listening(table, address.port()));
            let inodes: HashSet<u64> = listeners
                .filter(|(local, _)| *local == ip || local.is_unspecified())
                .map(|(_, inode)| inode)
                .collect();
            if !inodes.is_empty() {
                return self.holder(&pids, &inodes).map(|pid| self.describe(pid));
            }
        }
        None
    }

    fn pids(&self) -> Vec<u32> {
        let entries = fs::read_dir(self.root.join("proc")).into_iter().flatten().flatten();
        let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
        let mut pids: Vec<u32> = pids.take(MAX_PROCESSES).collect();
        pids.sort_unstable();
        pids
    }

    fn namespace(&self, pid: &str) -> Option<PathBuf> {
        fs::read_link(self.root.join(format!("proc/{pid}/ns/net"))).ok()
    }

    /// The process that has one of the sockets open; of several the one that started the others.
    fn holder(&self, pids: &[u32], inodes: &HashSet<u64>) -> Option<u32> {
        let holds = |pid: &u32| {
            let folder =
                fs::read_dir(self.root.join(format!("proc/{pid}/fd"))).into_iter().flatten().flatten();
            folder.take(MAX_DESCRIPTORS).any(|entry| {
                let target = fs::read_link(entry.path()).unwrap_or_default();
                let inode = target
                    .to_str()
                    .and_then(|text| text.strip_prefix("socket:[")?.strip_suffix(']')?.parse().ok());
                inode.is_some_and(|inode| inodes.contains(&inode))
            })
        };
        let holders: Vec<u32> = pids.iter().copied().filter(holds).collect();
        let is_first = |pid: &&u32| !self.parent(**pid).is_some_and(|parent| holders.contains(&parent));
        holders.iter().find(is_first).or(holders.first()).copied()
    }

    fn parent(&self, pid: u32) -> Option<u32> {
        self.status(pid, "PPid:")?.parse().ok()
    }

    /// The first word after `name` in the status of a process.
    fn status(&self, pid: u32, name: &str) -> Option<String> {
        let text = self.text(&format!("proc/{pid}/status"))?;
        let line = text.lines().find_map(|line| line.strip_prefix(name))?;
        line.split_ascii_whitespace().next().map(str::to_owned)
    }

    fn describe(&self, pid: u32) -> ServerProcess {
        let cgroup = self.text(&format!("proc/{pid}/cgroup")).unwrap_or_default();
        let (container, image) = match cgroup::container(&cgroup) {
            Some(container) => self.container(&container),
            None => (None, None),
        };
        let uid = self.status(pid, "Uid:").unwrap_or_default();
        ServerProcess {
            pid,
            program: self.program(pid),
            user: self.user(&uid).unwrap_or(uid),
            unit: cgroup::unit(&cgroup),
            container,
            image,
        }
    }

    fn program(&self, pid: u32) -> String {
        let name = self.text(&format!("proc/{pid}/comm")).unwrap_or_default().trim().to_owned();
        if !INTERPRETERS.iter().any(|one| name.starts_with(one)) {
            return name;
        }
        let line = self.text(&format!("proc/{pid}/cmdline")).unwrap_or_default();
        let mut words = line.split('\0').skip(1).filter(|word| !word.is_empty());
        let script = words.find(|word| !word.starts_with('-'));
        let script = script.and_then(|word| word.rsplit('/').next()).filter(|word| !word.is_empty());
        script.map_or(name, str::to_owned)
    }

    fn user(&self, uid: &str) -> Option<String> {
        let users = self.text("etc/passwd")?;
        let line = users.lines().find(|line| line.split(':').nth(2) == Some(uid))?;
        line.split(':').next().map(str::to_owned)
    }

    /// Name and image of a container: of a pod by the folder of its logs, else as Docker or Podman keep them.
    fn container(&self, container: &cgroup::Container) -> (Option<String>, Option<String>) {
        let short = container.id.get(..12).map(str::to_owned);
        if let Some(pod) = &container.pod {
            return (self.pod(pod).or(short), None);
        }
        let docker = self.json(&format!("var/lib/docker/containers/{}/config.v2.json", container.id));
        if let Some(value) = docker {
            let text = |value: &Value| value.as_str().map(str::to_owned);
            let name = value["Name"].as_str().map(|name| name.trim_start_matches('/').to_owned());
            return (name.or(short), text(&value["Config"]["Image"]));
        }
        let podman = self.json("var/lib/containers/storage/overlay-containers/containers.json");
        let all = podman.as_ref().and_then(Value::as_array).into_iter().flatten();
        let own = all.into_iter().find(|one| one["id"].as_str() == Some(&container.id));
        let name = own.and_then(|one| one["names"][0].as_str()).map(str::to_owned);
        let metadata = own
            .and_then(|one| one["metadata"].as_str())
            .and_then(|text| serde_json::from_str::<Value>(text).ok());
        let image = metadata.and_then(|value| value["image-name"].as_str().map(str::to_owned));
        (name.or(short), image)
    }

    /// `namespace/name` of a pod, from /var/log/pods/NAMESPACE_NAME_UID.
    fn pod(&self, uid: &str) -> Option<String> {
        let folders = fs::read_dir(self.root.join("var/log/pods")).ok()?.flatten();
        let mut names = folders.take(MAX_PROCESSES).filter_map(|entry| entry.file_name().into_string().ok());
        names.find_map(|name| {
            let (name, found) = name.rsplit_once('_')?;
            (found == uid).then(|| name.replacen('_', "/", 1))
        })
    }

    fn json(&self, path: &str) -> Option<Value> {
        serde_json::from_str(&self.text(path)?).ok()
    }

    fn text(&self, path: &str) -> Option<String> {
        let file = fs::File::open(self.root.join(path)).ok()?;
        let mut bytes = Vec::new();
        file.take(MAX_FILE).read_to_end(&mut bytes).ok()?;
        Some(String::from_utf8_lossy(&bytes).into_owned())
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    const ID: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    const TCP: &str = "sl local\n 0: 00000000:0050 00000000:0000 0A 0:0 0:0 0  0        0 99 1\n";
    const TRIE: &str = "|-- 172.17.0.2\n   /32 host LOCAL\n";

    struct Machine(tempfile::TempDir);

    impl Machine {
        fn new() -> Self {
            let machine = Self(tempfile::tempdir().unwrap());
            machine.process("self", "host", "why403\0", "");
            machine.write("etc/passwd", "root:x:0:0::/:/bin/sh\nweb:x:33:33::/:/bin/sh\n");
            machine
        }
        fn write(&self, path: &str, text: &str) {
            let path = self.0.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        fn process(&self, pid: &str, namespace: &str, command: &str, cgroup: &str) {
            let name = command.split('\0').next().unwrap();
            self.write(&format!("proc/{pid}/comm"), &format!("{name}\n"));
            self.write(&format!("proc/{pid}/cmdline"), command);
            self.write(&format!("proc/{pid}/cgroup"), cgroup);
            self.write(&format!("proc/{pid}/status"), "Name: x\nPPid:\t1\nUid:\t33\t33\n");
            fs::create_dir_all(self.0.path().join(format!("proc/{pid}/ns"))).unwrap();
            symlink(namespace, self.0.path().join(format!("proc/{pid}/ns/net"))).unwrap();
        }
        fn listens(&self, pid: &str) {
            self.write(&format!("proc/{pid}/net/tcp"), TCP);
            self.write(&format!("proc/{pid}/net/fib_trie"), TRIE);
            fs::create_dir_all(self.0.path().join(format!("proc/{pid}/fd"))).unwrap();
            symlink("socket:[99]", self.0.path().join(format!("proc/{pid}/fd/3"))).unwrap();
        }
        fn find(&self, address: &str) -> Option<ServerProcess> {
            Lookup::new(self.0.path()).find(address.parse().unwrap())
        }
    }

    #[test]
    fn a_server_in_a_docker_container_has_its_name_and_image() {
        let machine = Machine::new();
        machine.process(
            "70",
            "one",
            "python3\0-u\0/usr/bin/gunicorn\0app",
            &format!("0::/system.slice/docker-{ID}.scope\n"),
        );
        machine.listens("70");
        machine.write(
            &format!("var/lib/docker/containers/{ID}/config.v2.json"),
            r#"{"Name":"/web-1","Config":{"Image":"shop:7"}}"#,
        );
        let found = machine.find("172.17.0.2:80").unwrap();
        assert_eq!((found.pid, found.program.as_str(), found.user.as_str()), (70, "gunicorn", "web"));
        assert_eq!((found.container.as_deref(), found.image.as_deref()), (Some("web-1"), Some("shop:7")));
        assert_eq!(machine.find("172.17.0.3:80"), None);
        assert_eq!(machine.find("172.17.0.2:81"), None);
    }

    #[test]
    fn a_server_in_a_pod_has_the_pods_name() {
        let machine = Machine::new();
        let uid = "1b4e28ba-2fa1-11d2-883f-0016d3cca427";
        machine.process("71", "two", "nginx\0", &format!("0::/kubepods/pod{uid}/{ID}\n"));
        machine.listens("71");
        fs::create_dir_all(machine.0.path().join(format!("var/log/pods/shop_api-0_{uid}"))).unwrap();
        assert_eq!(machine.find("172.17.0.2:80").unwrap().container.as_deref(), Some("shop/api-0"));
    }
}
