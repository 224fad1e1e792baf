//! The system calls by what they are for.

use nix::libc;

/// Descriptors that are open, files below the allowed paths (Landlock has the last word), memory, time, threads, signals.
#[rustfmt::skip]
pub(super) const ALLOWED: &[i64] = &[
    // Open descriptors.
    libc::SYS_read, libc::SYS_readv, libc::SYS_pread64, libc::SYS_preadv, libc::SYS_write, libc::SYS_writev, libc::SYS_pwrite64,
    libc::SYS_pwritev, libc::SYS_close, libc::SYS_close_range, libc::SYS_dup, libc::SYS_dup3, libc::SYS_fcntl, libc::SYS_flock,
    libc::SYS_lseek, libc::SYS_fstat, libc::SYS_statx, libc::SYS_fstatfs, libc::SYS_statfs, libc::SYS_fsync, libc::SYS_fdatasync,
    libc::SYS_ftruncate, libc::SYS_fallocate, libc::SYS_fadvise64, libc::SYS_copy_file_range, libc::SYS_sendfile, libc::SYS_splice,
    libc::SYS_pipe2, libc::SYS_eventfd2, libc::SYS_epoll_create1, libc::SYS_epoll_ctl, libc::SYS_epoll_pwait, libc::SYS_epoll_pwait2,
    libc::SYS_ppoll, libc::SYS_pselect6, libc::SYS_timerfd_create, libc::SYS_timerfd_settime, libc::SYS_timerfd_gettime,
    libc::SYS_signalfd4, libc::SYS_memfd_create,
    // Sockets that are open already, and pairs of them.
    libc::SYS_socketpair, libc::SYS_sendto, libc::SYS_recvfrom, libc::SYS_sendmsg, libc::SYS_recvmsg, libc::SYS_recvmmsg,
    libc::SYS_sendmmsg, libc::SYS_getsockopt, libc::SYS_setsockopt, libc::SYS_getsockname, libc::SYS_getpeername, libc::SYS_shutdown,
    // Paths.
    libc::SYS_openat, libc::SYS_newfstatat, libc::SYS_faccessat, libc::SYS_faccessat2, libc::SYS_readlinkat, libc::SYS_getdents64,
    libc::SYS_getcwd, libc::SYS_renameat2, libc::SYS_linkat, libc::SYS_unlinkat, libc::SYS_mkdirat, libc::SYS_fchmod,
    libc::SYS_umask, libc::SYS_utimensat,
    // Memory.
    libc::SYS_brk, libc::SYS_munmap, libc::SYS_mremap, libc::SYS_madvise, libc::SYS_mincore, libc::SYS_mlock, libc::SYS_munlock,
    libc::SYS_membarrier,
    // Time and chance.
    libc::SYS_clock_gettime, libc::SYS_clock_getres, libc::SYS_clock_nanosleep, libc::SYS_nanosleep, libc::SYS_gettimeofday,
    libc::SYS_getitimer, libc::SYS_setitimer, libc::SYS_getrandom, libc::SYS_times,
    // Threads.
    libc::SYS_futex, libc::SYS_set_robust_list, libc::SYS_get_robust_list, libc::SYS_set_tid_address, libc::SYS_gettid, libc::SYS_rseq,
    libc::SYS_sched_yield, libc::SYS_sched_getaffinity, libc::SYS_sched_setaffinity, libc::SYS_sched_getparam,
    libc::SYS_sched_getscheduler, libc::SYS_getcpu, libc::SYS_clone3, libc::SYS_exit, libc::SYS_exit_group,
    // Signals.
    libc::SYS_rt_sigaction, libc::SYS_rt_sigprocmask, libc::SYS_rt_sigreturn, libc::SYS_rt_sigpending, libc::SYS_rt_sigsuspend,
    libc::SYS_rt_sigtimedwait, libc::SYS_rt_sigqueueinfo, libc::SYS_sigaltstack, libc::SYS_tgkill, libc::SYS_tkill,
    libc::SYS_restart_syscall, libc::SYS_wait4, libc::SYS_waitid,
    // About this process.
    libc::SYS_getpid, libc::SYS_getppid, libc::SYS_getpgid, libc::SYS_setpgid, libc::SYS_getsid, libc::SYS_getuid, libc::SYS_geteuid,
    libc::SYS_getgid, libc::SYS_getegid, libc::SYS_getresuid, libc::SYS_getresgid, libc::SYS_getgroups, libc::SYS_capget,
    libc::SYS_getrlimit, libc::SYS_prlimit64, libc::SYS_getrusage, libc::SYS_uname, libc::SYS_sysinfo, libc::SYS_getpriority,
];

/// The older names of the same calls, which only this architecture has.
#[cfg(target_arch = "x86_64")]
#[rustfmt::skip]
pub(super) const ALLOWED_ON_THIS_ARCHITECTURE: &[i64] = &[
    libc::SYS_open, libc::SYS_stat, libc::SYS_lstat, libc::SYS_access, libc::SYS_readlink, libc::SYS_getdents, libc::SYS_rename,
    libc::SYS_renameat, libc::SYS_link, libc::SYS_unlink, libc::SYS_rmdir, libc::SYS_mkdir, libc::SYS_chmod, libc::SYS_poll,
    libc::SYS_select, libc::SYS_pipe, libc::SYS_dup2, libc::SYS_eventfd, libc::SYS_epoll_create, libc::SYS_epoll_wait, libc::SYS_time,
    libc::SYS_arch_prctl, libc::SYS_getpgrp, libc::SYS_alarm, libc::SYS_pause,
];

/// The older names of the same calls: this architecture has none of them.
#[cfg(not(target_arch = "x86_64"))]
pub(super) const ALLOWED_ON_THIS_ARCHITECTURE: &[i64] = &[];

/// New connections, for the tap, the demo and sources that reconnect.
pub(super) const NETWORK: &[i64] = &[
    libc::SYS_connect,
    libc::SYS_bind,
    libc::SYS_listen,
    libc::SYS_accept,
    libc::SYS_accept4,
    libc::SYS_fchmodat,
];

/// What kinds of sockets may be made where [`NETWORK`] is allowed: no raw packets.
pub(super) const FAMILIES: &[u64] =
    &[libc::AF_UNIX as u64, libc::AF_INET as u64, libc::AF_INET6 as u64, libc::AF_NETLINK as u64];

/// The harmless questions and settings of prctl.
pub(super) const PRCTL: &[u64] = &[
    libc::PR_SET_NAME as u64,
    libc::PR_GET_NAME as u64,
    libc::PR_SET_VMA as u64,
    libc::PR_GET_DUMPABLE as u64,
    libc::PR_CAPBSET_READ as u64,
    libc::PR_GET_NO_NEW_PRIVS as u64,
    libc::PR_SET_NO_NEW_PRIVS as u64,
];

/// Refused even where programs may be run.
#[rustfmt::skip]
pub(super) const DANGEROUS: &[i64] = &[
    libc::SYS_ptrace, libc::SYS_process_vm_readv, libc::SYS_process_vm_writev, libc::SYS_kexec_load, libc::SYS_init_module,
    libc::SYS_finit_module, libc::SYS_delete_module, libc::SYS_bpf, libc::SYS_perf_event_open, libc::SYS_io_uring_setup,
    libc::SYS_io_uring_enter, libc::SYS_io_uring_register, libc::SYS_userfaultfd, libc::SYS_mount, libc::SYS_umount2,
    libc::SYS_pivot_root, libc::SYS_chroot, libc::SYS_unshare, libc::SYS_setns, libc::SYS_keyctl, libc::SYS_add_key,
    libc::SYS_request_key, libc::SYS_reboot, libc::SYS_swapon, libc::SYS_swapoff, libc::SYS_settimeofday, libc::SYS_clock_settime,
    libc::SYS_acct, libc::SYS_quotactl, libc::SYS_open_by_handle_at, libc::SYS_move_pages, libc::SYS_personality,
];
