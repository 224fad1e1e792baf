//! Landlock: which paths can be opened, which ports, which processes can be signalled.

use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, LandlockStatus, RestrictSelf, RestrictionStatus, Ruleset,
    RulesetAttr, RulesetCreatedAttr, RulesetError, RulesetStatus, Scope, make_bitflags, path_beneath_rules,
};

use super::{Policy, State};

/// The newest Landlock version whose rules were tried with this program; older kernels take what they know.
const TRIED: ABI = ABI::V6;

/// Read by libpcap's counters, by the memory figure of the status line and by the panic handler.
const ALWAYS_READ: &[&str] =
    &["/proc/self", "/sys/class/net", "/sys/devices", "/sys/fs/cgroup", "/dev/urandom"];

/// Read by the C library when it resolves a name.
const RESOLVER: &[&str] = &[
    "/etc/resolv.conf",
    "/etc/hosts",
    "/etc/host.conf",
    "/etc/nsswitch.conf",
    "/etc/gai.conf",
    "/etc/services",
    "/run/systemd/resolve",
    "/lib",
    "/lib64",
    "/usr/lib",
];

/// Opened again by the terminal's code on every question about its size.
const TERMINAL: &[&str] = &["/dev/tty", "/dev/null"];

pub(super) fn restrict(policy: &Policy) -> State {
    if policy.programs {
        return State::Partly("not for files: the programs of --on-match would inherit it".to_owned());
    }
    match rules(policy) {
        Err(error) => State::Missing(error.to_string()),
        Ok(status) => describe(&status),
    }
}

fn rules(policy: &Policy) -> Result<RestrictionStatus, RulesetError> {
    let read = make_bitflags!(AccessFs::{ReadFile | ReadDir});
    let make = make_bitflags!(AccessFs::{ReadFile | ReadDir | WriteFile | Truncate | MakeReg | RemoveFile});
    let terminal = make_bitflags!(AccessFs::{ReadFile | WriteFile | IoctlDev});
    let mut ruleset =
        Ruleset::default().handle_access(AccessFs::from_all(TRIED))?.scope(Scope::from_all(TRIED))?;
    if !policy.network {
        ruleset = ruleset.handle_access(AccessNet::from_all(TRIED))?;
    }
    let resolver = if policy.network { RESOLVER } else { &[] };
    ruleset
        .create()?
        .add_rules(path_beneath_rules(ALWAYS_READ, read))?
        .add_rules(path_beneath_rules(resolver, read))?
        .add_rules(path_beneath_rules(&policy.read, read))?
        .add_rules(path_beneath_rules(&policy.write, make))?
        .add_rules(path_beneath_rules(&policy.tidy, make_bitflags!(AccessFs::{RemoveDir})))?
        .add_rules(path_beneath_rules(&policy.remove, make_bitflags!(AccessFs::{RemoveFile})))?
        .add_rules(path_beneath_rules(TERMINAL, terminal))?
        .restrict_self()
}

fn describe(status: &RestrictionStatus) -> State {
    let version = version(status.landlock);
    match status.ruleset {
        RulesetStatus::FullyEnforced => State::On(version),
        RulesetStatus::PartiallyEnforced => State::Partly(version),
        RulesetStatus::NotEnforced => State::Missing(version),
    }
}

fn version(status: LandlockStatus) -> String {
    match status {
        LandlockStatus::NotEnabled => {
            "the kernel has it but it was not enabled at boot: add lsm=landlock,…".to_owned()
        }
        LandlockStatus::NotImplemented => "the kernel has none: it came with Linux 5.13".to_owned(),
        LandlockStatus::Available { effective_abi, kernel_abi } => match kernel_abi {
            Some(newer) => format!("ABI {newer}"),
            None => format!("ABI {}", effective_abi as i32),
        },
    }
}

pub(super) fn probe() -> State {
    match RestrictSelf::default().no_new_privs(false).apply() {
        Err(error) => State::Missing(error.to_string()),
        Ok(status) => match status.landlock {
            LandlockStatus::Available { effective_abi, .. } if wanted(effective_abi) != wanted(TRIED) => {
                State::Partly(version(status.landlock))
            }
            LandlockStatus::Available { .. } => State::On(version(status.landlock)),
            _ => State::Missing(version(status.landlock)),
        },
    }
}

fn wanted(abi: ABI) -> (BitFlags<AccessFs>, BitFlags<AccessNet>, BitFlags<Scope>) {
    let top = if abi > TRIED { TRIED } else { abi };
    (AccessFs::from_all(top), AccessNet::from_all(top), Scope::from_all(top))
}
