/* file.h - whole files, read with a limit and written so that a reader sees the old one or the new one.
 *
 * All functions answer -1 with errno set when the system refuses.  Paths are NUL-terminated. */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include <sys/types.h>

#include <dirent.h>

#include "base/buf.h"

/* Append the whole of PATH ("-" is standard input) to OUT.  -1 with errno EFBIG when it would exceed OUT's
 * maximum, EISDIR for a folder; OUT may then hold a part. */
int file_read(const char *path, struct buf *out);

/* The same of what FD still has. */
int file_read_fd(int fd, struct buf *out);

/* Wait until FD's file or folder is locked by nobody else (flock(2)); closing it unlocks. */
int file_lock(int fd);

/* Replace PATH by DATA: written beside it (a hidden file, ".firebreak.NAME." and six characters), fsync, rename, fsync
 * of the folder.  MODE is the new file's mode,
 * whatever the umask.  On -1 the old file is as it was and nothing is left beside it; but when only the flush of the
 * folder failed, the new file is in place and may not survive a power cut: who cares must look.  Two writers of one
 * path do not mix their bytes: each writes a temporary file of its own. */
int file_write(const char *path, struct slice data, mode_t mode);

/* Remove what a killed file_write() left in the folder DIR.  Who calls it knows that nobody writes there now. */
void file_clean(const char *dir);

/* write(2) until all of DATA is out; restarts on EINTR. */
int file_write_all(int fd, struct slice data);

/* Make the folder PATH, and those above it, with MODE whatever the umask; fine when it is there. */
int file_mkdirs(const char *path, mode_t mode);

/* A descriptor, for reading and writing, of an empty file without a name in the folder DIR, which is gone when it is closed. */
int file_nameless(const char *dir);

/* Flush the folder PATH itself, so that a rename in it survives a power cut. */
int file_sync_dir(const char *path);

/* For scandir(3): E does not begin with a dot, as what is on its way, "." and ".." do. */
int file_is_visible(const struct dirent *e);

/* "DIR/NAME" as a string that the caller frees; NULL without memory. */
char *file_join(const char *dir, const char *name);

#endif
