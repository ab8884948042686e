#include <lmdb.h>

/* `statfs` is not part of Swift's Glibc module. */
#ifdef __linux__
#include <sys/vfs.h>
#endif

/* Neither is `statx`: when a file was made, in nanoseconds since 1970; 0 where its file system does not
   know, -1 with errno where it fails. */
#ifdef __linux__
#include <linux/stat.h>

extern int statx(
    int directory, const char *path, int flags, unsigned int mask, struct statx *status);

static inline long long daybook_birth(const char *path) {
    struct statx status;
    if (statx(-100 /* AT_FDCWD */, path, 0, STATX_BTIME, &status) != 0) return -1;
    if (!(status.stx_mask & STATX_BTIME)) return 0;
    return (long long)status.stx_btime.tv_sec * 1000000000 + status.stx_btime.tv_nsec;
}
#endif

/* Asks the processor for the bytes before an address, as many as an entry of the log has or two. Where they are not
   memory of the process, nothing happens. */
static inline void daybook_prefetch_before(const void *address) {
    for (int line = 1; line <= 8; line++) __builtin_prefetch((const char *)address - 64 * line);
}
