#include <lmdb.h>

/* `statfs` is not part of Swift's Glibc module. */
#ifdef __linux__
#include <sys/vfs.h>
#endif
