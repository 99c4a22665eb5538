/* SPDX-License-Identifier: MIT
 *
 * keep: whole files. See keep.h for the contract.
 */
#include "keep.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void forget(struct keep *k)
{
    free(k->path);
    free(k->temporary);
    *k = (struct keep){0};
}

/* The path by which a file can be linked that has no other. */
static const char *name_of_fd(int fd, char *buf, size_t cap)
{
    snprintf(buf, cap, "/proc/self/fd/%d", fd);
    return buf;
}

/* A file without a name, so that whatever ends this program leaves nothing
 * behind. -1 where the file system has no such thing, or /proc is not here. */
static int open_nameless(struct keep *k)
{
    char name[32], *directory = strdup(k->path);
    if (directory == NULL)
        return -1;
    int fd = open(dirname(directory), O_TMPFILE | O_WRONLY | O_CLOEXEC, 0666);
    free(directory);
    if (fd < 0)
        return -1;
    k->is_nameless = access(name_of_fd(fd, name, sizeof name), F_OK) == 0;
    if (k->is_nameless)
        return fd;
    close(fd);
    return -1;
}

/* mkostemp gives it to its owner alone. */
static int set_mode(int fd)
{
    mode_t mask = umask(0); /* there is no other way to ask for it */
    umask(mask);
    return fchmod(fd, 0666 & ~mask);
}

static int open_named(struct keep *k)
{
    int fd = mkostemp(k->temporary, O_CLOEXEC);
    if (fd < 0 || set_mode(fd) == 0)
        return fd;
    unlink(k->temporary);
    close(fd);
    return -1;
}

static FILE *open_beside(struct keep *k)
{
    size_t size = strlen(k->path) + sizeof ".1234567890";
    k->temporary = malloc(size);
    if (k->temporary == NULL)
        return NULL;
    snprintf(k->temporary, size, "%s.XXXXXX", k->path);
    int fd = open_nameless(k);
    if (fd < 0)
        fd = open_named(k);
    FILE *file = fd >= 0 ? fdopen(fd, "w") : NULL;
    if (fd >= 0 && file == NULL) {
        if (!k->is_nameless)
            unlink(k->temporary);
        close(fd);
    }
    return file;
}

int keep_open(struct keep *k, const char *path, struct err *e)
{
    struct stat st;
    *k = (struct keep){0};
    k->path = realpath(path, NULL);
    if (k->path == NULL)
        k->path = strdup(path);
    if (k->path == NULL)
        return err_sys(e, "%s", path);
    bool is_other = stat(k->path, &st) == 0 && !S_ISREG(st.st_mode);
    k->file = is_other ? fopen(k->path, "we") : open_beside(k);
    if (k->file != NULL)
        return 0;
    err_sys(e, "%s", path);
    forget(k);
    return -1;
}

/* errno may be another's by now: what forks flushes every stream before. But
 * what stood in the way of that write will stand in the way of one more byte,
 * if it is tried at once; of the file nothing will be left anyway. */
void keep_check(struct keep *k)
{
    if (k->error == 0 && ferror(k->file))
        k->error = write(fileno(k->file), "", 1) < 0 ? errno : EIO;
}

/* A link cannot take the place of another file, renaming can: so it has a
 * temporary name after all, for a moment. */
static int give_name(struct keep *k)
{
    char name[32];
    int result;
    pid_t number = getpid();
    name_of_fd(fileno(k->file), name, sizeof name);
    do {
        sprintf(k->temporary, "%s.%u", k->path, (unsigned)number++);
        result =
            linkat(AT_FDCWD, name, AT_FDCWD, k->temporary, AT_SYMLINK_FOLLOW);
    } while (result < 0 && errno == EEXIST);
    k->is_nameless = result < 0;
    return result;
}

/* Has all been written? 0, or the errno that says why not. */
static int finish(struct keep *k)
{
    errno = 0;
    bool good = fflush(k->file) == 0 && (!k->is_nameless || give_name(k) == 0);
    int why = errno;
    keep_check(k);
    return k->error != 0 ? k->error : good ? 0 : why;
}

static void unlink_temporary(const struct keep *k)
{
    if (k->temporary != NULL && !k->is_nameless)
        unlink(k->temporary);
}

int keep_close(struct keep *k, struct err *e)
{
    int why = finish(k);
    if (fclose(k->file) != 0 && why == 0)
        why = errno;
    if (why == 0 && k->temporary != NULL && rename(k->temporary, k->path) < 0)
        why = errno;
    if (why != 0) {
        errno = why;
        err_sys(e, "%s", k->path);
        unlink_temporary(k);
    }
    forget(k);
    return why != 0 ? -1 : 0;
}

void keep_discard(struct keep *k)
{
    if (k->file == NULL)
        return;
    fclose(k->file);
    unlink_temporary(k);
    forget(k);
}
