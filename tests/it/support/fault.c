/* Preloaded into the program under test: the clock fails once in the thread that WHY403_FAULT names, at the first look at it
 * after SIGUSR2. Rust's library panics then, as it would at a bug of ours, wherever that thread happens to be. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static volatile sig_atomic_t armed;
static const char *wanted;
static int (*real)(clockid_t, struct timespec *);

static void arm(int signal) { (void)signal; armed = 1; }

__attribute__((constructor)) static void begin(void) {
  real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
  wanted = getenv("WHY403_FAULT");
  if (wanted) signal(SIGUSR2, arm);
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
