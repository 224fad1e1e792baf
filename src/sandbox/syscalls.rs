//! seccomp: which system calls the kernel answers.
//!
//! An allow list; anything else fails with EPERM, so that a library that tries something new degrades instead of dying.
//! Programs that `--on-match` runs would inherit the list, so with them a list of the dangerous calls is refused instead.

use std::collections::BTreeMap;

use nix::libc;
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
    TargetArch, apply_filter_all_threads,
};

use super::{Policy, State};

mod lists;

type Rules = BTreeMap<i64, Vec<SeccompRule>>;

pub(super) fn restrict(policy: &Policy) -> State {
    match build(policy).and_then(|filters| install(&filters)) {
        Ok(words) => State::On(words),
        Err(error) => State::Missing(error.to_string()),
    }
}

pub(super) fn probe() -> State {
    let Ok(arch) = TargetArch::try_from(std::env::consts::ARCH) else {
        return State::Missing(format!("no filter for {}", std::env::consts::ARCH));
    };
    match std::fs::read_to_string("/proc/sys/kernel/seccomp/actions_avail") {
        Ok(actions) if actions.split(' ').any(|action| action == "errno") => {
            State::On(format!("filters for {arch:?}"))
        }
        _ => State::Missing("the kernel was built without CONFIG_SECCOMP_FILTER".to_owned()),
    }
}

struct Filters {
    programs: Vec<BpfProgram>,
    words: String,
}

fn build(policy: &Policy) -> Result<Filters, seccompiler::Error> {
    if policy.programs {
        let rules = unconditional(lists::DANGEROUS);
        let words = format!("{} dangerous calls refused, the rest left to --on-match", rules.len());
        return Ok(Filters {
            programs: vec![compile(rules, SeccompAction::Allow, errno(libc::EPERM))?],
            words,
        });
    }
    let rules = allowed(policy)?;
    let words = format!("{} calls allowed, all others refused", rules.len());
    // clone3 hides its flags from filters: refused as unknown, the C library falls back to clone.
    let no_clone3 = unconditional(&[libc::SYS_clone3]);
    Ok(Filters {
        programs: vec![
            compile(no_clone3, SeccompAction::Allow, errno(libc::ENOSYS))?,
            compile(rules, errno(libc::EPERM), SeccompAction::Allow)?,
        ],
        words,
    })
}

fn allowed(policy: &Policy) -> Result<Rules, seccompiler::Error> {
    let mut rules = unconditional(lists::ALLOWED);
    rules.extend(unconditional(lists::ALLOWED_ON_THIS_ARCHITECTURE));
    // Threads, never processes.
    rules.insert(libc::SYS_clone, vec![rule(vec![bits_set(0, libc::CLONE_THREAD as u64)?])?]);
    // Typing into somebody's terminal is how an escape from here would go on.
    rules.insert(libc::SYS_ioctl, vec![rule(vec![is_not(1, libc::TIOCSTI)?, is_not(1, libc::TIOCLINUX)?])?]);
    rules.insert(libc::SYS_prctl, any_of(0, lists::PRCTL)?);
    rules.insert(libc::SYS_kill, any_of(0, &[0, u64::from(std::process::id())])?);
    if policy.network {
        rules.extend(unconditional(lists::NETWORK));
        rules.insert(libc::SYS_socket, any_of(0, lists::FAMILIES)?);
        rules.extend(unconditional(&[libc::SYS_mmap, libc::SYS_mprotect]));
    } else {
        let no_code = vec![rule(vec![bits_clear(2, libc::PROT_EXEC as u64)?])?];
        rules.insert(libc::SYS_mmap, no_code.clone());
        rules.insert(libc::SYS_mprotect, no_code);
    }
    Ok(rules)
}

fn install(filters: &Filters) -> Result<String, seccompiler::Error> {
    // The allow list comes last: it would refuse the call that installs the other.
    for program in &filters.programs {
        apply_filter_all_threads(program)?;
    }
    Ok(filters.words.clone())
}

fn compile(
    rules: Rules,
    otherwise: SeccompAction,
    matched: SeccompAction,
) -> Result<BpfProgram, seccompiler::Error> {
    let arch = TargetArch::try_from(std::env::consts::ARCH)?;
    Ok(BpfProgram::try_from(SeccompFilter::new(rules, otherwise, matched, arch)?)?)
}

fn unconditional(calls: &[i64]) -> Rules {
    calls.iter().map(|call| (*call, Vec::new())).collect()
}

fn any_of(argument: u8, values: &[u64]) -> Result<Vec<SeccompRule>, seccompiler::Error> {
    values.iter().map(|value| rule(vec![condition(argument, SeccompCmpOp::Eq, *value)?])).collect()
}

fn is_not(argument: u8, value: u64) -> Result<SeccompCondition, seccompiler::Error> {
    condition(argument, SeccompCmpOp::Ne, value)
}

fn bits_set(argument: u8, bits: u64) -> Result<SeccompCondition, seccompiler::Error> {
    condition(argument, SeccompCmpOp::MaskedEq(bits), bits)
}

fn bits_clear(argument: u8, bits: u64) -> Result<SeccompCondition, seccompiler::Error> {
    condition(argument, SeccompCmpOp::MaskedEq(bits), 0)
}

fn condition(argument: u8, op: SeccompCmpOp, value: u64) -> Result<SeccompCondition, seccompiler::Error> {
    Ok(SeccompCondition::new(argument, SeccompCmpArgLen::Dword, op, value)?)
}

fn rule(conditions: Vec<SeccompCondition>) -> Result<SeccompRule, seccompiler::Error> {
    Ok(SeccompRule::new(conditions)?)
}

fn errno(code: i32) -> SeccompAction {
    SeccompAction::Errno(code as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_inspector_can_neither_run_programs_nor_open_sockets() {
        let rules = allowed(&Policy::default()).unwrap();
        for call in
            [libc::SYS_execve, libc::SYS_execveat, libc::SYS_socket, libc::SYS_connect, libc::SYS_bind]
        {
            assert!(!rules.contains_key(&call), "{call} is allowed");
        }
    }

    #[test]
    fn nothing_dangerous_is_ever_allowed() {
        for network in [false, true] {
            let rules = allowed(&Policy { network, ..Policy::default() }).unwrap();
            for call in lists::DANGEROUS {
                assert!(!rules.contains_key(call), "{call} is allowed");
            }
        }
    }

    #[test]
    fn every_policy_compiles_to_a_filter() {
        for (network, programs) in [(false, false), (true, false), (true, true)] {
            let filters = build(&Policy { network, programs, ..Policy::default() }).unwrap();
            assert!(filters.programs.iter().all(|program| !program.is_empty()));
        }
    }
}
