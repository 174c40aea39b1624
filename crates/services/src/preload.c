/* Between a process and its system, by LD_PRELOAD: a clock that is wrong, and a disk that is full.
 *
 *   DRAWDOWN_TEST_CLOCK  by how many seconds the time of day is wrong; clocks that only measure stay right
 *   DRAWDOWN_TEST_DISK   a directory in which no file grows as long as there is one called `full`
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static long wrong_by(void) {
  const char *seconds = getenv("DRAWDOWN_TEST_CLOCK");
  return seconds ? atol(seconds) : 0;
}

int clock_gettime(clockid_t clock, struct timespec *now) {
  static __typeof__(&clock_gettime) real;
  if (!real) real = REAL(clock_gettime);
  int result = real(clock, now);
  if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) now->tv_sec += wrong_by();
  return result;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
  struct timespec precise;
  (void)zone;
  int result = clock_gettime(CLOCK_REALTIME, &precise);
  if (result == 0) *now = (struct timeval){precise.tv_sec, precise.tv_nsec / 1000};
  return result;
}

time_t time(time_t *into) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  if (into) *into = now.tv_sec;
  return now.tv_sec;
}

int timespec_get(struct timespec *now, int base) {
  return base == TIME_UTC && clock_gettime(CLOCK_REALTIME, now) == 0 ? base : 0;
}

/* Whoever waits until a time of day means the wrong one; times of steady clocks are years after 1970 at the most. */
static struct timespec meant(const struct timespec *until) {
  struct timespec then = *until;
  if (then.tv_sec > 30 * 365 * 86400L) then.tv_sec -= wrong_by();
  return then;
}

int cnd_timedwait(cnd_t *restrict condition, mtx_t *restrict mutex, const struct timespec *restrict until) {
  struct timespec then = meant(until);
  return REAL(cnd_timedwait)(condition, mutex, &then);
}

int pthread_cond_timedwait(pthread_cond_t *restrict condition, pthread_mutex_t *restrict mutex,
                           const struct timespec *restrict until) {
  static __typeof__(&pthread_cond_timedwait) real;
  /* By its name alone the linker finds the oldest, which is another one. */
  if (!real) real = (__typeof__(real))dlvsym(RTLD_NEXT, "pthread_cond_timedwait", "GLIBC_2.3.2");
  if (!real) real = REAL(pthread_cond_timedwait);
  struct timespec then = meant(until);
  return real(condition, mutex, &then);
}

/* Whether a file cannot be as long as this. */
static int is_full(int file, off_t end) {
  const char *disk = getenv("DRAWDOWN_TEST_DISK");
  struct stat stat;
  char name[PATH_MAX], link[64];
  if (!disk || snprintf(name, sizeof name, "%s/full", disk) >= (int)sizeof name || access(name, F_OK) != 0) return 0;
  if (fstat(file, &stat) != 0 || !S_ISREG(stat.st_mode) || end <= stat.st_size) return 0;
  snprintf(link, sizeof link, "/proc/self/fd/%d", file);
  ssize_t length = readlink(link, name, sizeof name - 1);
  if (length < 0) return 0;
  name[length] = 0;
  return strncmp(name, disk, strlen(disk)) == 0;
}

/* Where a write begins that names no place. */
static off_t place(int file) {
  struct stat stat;
  if ((fcntl(file, F_GETFL) & O_APPEND) && fstat(file, &stat) == 0) return stat.st_size;
  return lseek(file, 0, SEEK_CUR);
}

static off_t all(const struct iovec *parts, int count) {
  off_t length = 0;
  for (int at = 0; at < count; at++) length += (off_t)parts[at].iov_len;
  return length;
}

#define UNLESS_FULL(file, end, result) \
  if (is_full(file, end)) { errno = ENOSPC; return result; }

ssize_t write(int file, const void *bytes, size_t length) {
  UNLESS_FULL(file, place(file) + (off_t)length, -1)
  return REAL(write)(file, bytes, length);
}

ssize_t writev(int file, const struct iovec *parts, int count) {
  UNLESS_FULL(file, place(file) + all(parts, count), -1)
  return REAL(writev)(file, parts, count);
}

#define AT(name) \
  ssize_t name(int file, const void *bytes, size_t length, off_t at) { \
    UNLESS_FULL(file, at + (off_t)length, -1) \
    return REAL(name)(file, bytes, length, at); \
  }
AT(pwrite)
AT(pwrite64)

#define PARTS_AT(name) \
  ssize_t name(int file, const struct iovec *parts, int count, off_t at) { \
    UNLESS_FULL(file, at + all(parts, count), -1) \
    return REAL(name)(file, parts, count, at); \
  }
PARTS_AT(pwritev)
PARTS_AT(pwritev64)

#define ROOM(name) \
  int name(int file, off_t at, off_t length) { \
    if (is_full(file, at + length)) return ENOSPC; \
    return REAL(name)(file, at, length); \
  }
ROOM(posix_fallocate)
ROOM(posix_fallocate64)
