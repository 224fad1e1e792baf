/* Preloaded into the program under test. WHY403_FAULT says what goes wrong:
 * "landlock": the kernel has none;
 * "thread": somebody else's thread runs before anything of ours;
 * the name of a thread: the clock fails once in it, at the first look after SIGUSR2. Rust's library panics then, as it would at
 * a bug of ours, wherever that thread happens to be. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#endif

static volatile sig_atomic_t armed;
static const char *wanted;
static int (*real)(clockid_t, struct timespec *);

static long (*real_syscall)(long, ...);

static void *rest(void *nothing) {
  for (;;) pause();
  return nothing;
}

static void arm(int signal) { (void)signal; armed = 1; }

__attribute__((constructor)) static void begin(void) {
  real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
  wanted = getenv("WHY403_FAULT");
  if (!wanted) return;
  signal(SIGUSR2, arm);
  pthread_t thread;
  if (strcmp(wanted, "thread") == 0) pthread_create(&thread, NULL, rest, NULL);
}

int clock_gettime(clockid_t clock, struct timespec *out) {
  char name[16] = "";
  if (armed && pthread_getname_np(pthread_self(), name, sizeof name) == 0 && strcmp(name, wanted) == 0) {
    armed = 0;
    errno = EIO;
    return -1;
  }
  return real(clock, out);
}

long syscall(long number, ...) {
  va_list list;
  long a[6];
  va_start(list, number);
  for (int i = 0; i < 6; i++) a[i] = va_arg(list, long);
  va_end(list);
  if (!real_syscall) real_syscall = (long (*)(long, ...))dlsym(RTLD_NEXT, "syscall");
  if (number == SYS_landlock_create_ruleset && wanted && strcmp(wanted, "landlock") == 0) {
    errno = ENOSYS;
    return -1;
  }
  return real_syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}
