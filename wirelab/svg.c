/* SPDX-License-Identifier: MIT
 *
 * svg: the picture as a slide. See svg.h for the contract.
 * Read next: svg_page.h.
 */
#include "svg.h"

#include "keep.h"
#include "lang.h"
#include "svg_ink.h"
#include "svg_page.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

/* Lies in memory that a child shares. */
struct pages {
    size_t count;
    struct page page[SVG_PICTURES];
};

struct svg {
    struct keep svg, png;
    struct pages *pages;
    int order, answer; /* pipes to and from who converts; 0: none */
};

/* What came of a conversion. */
struct converted {
    int why;    /* it could not be started: the error number; 0 */
    int status; /* what waitpid(2) had to say */
};

static void close_pipe(int *fd)
{
    if (*fd > 0)
        close(*fd);
    *fd = 0;
}

/* A program in PATH, as execvp(3) would look for it. */
static bool is_installed(const char *program)
{
    const char *path = getenv("PATH");
    char file[4096];
    while (path != NULL) {
        int n = (int)strcspn(path, ":");
        snprintf(file, sizeof file, "%.*s/%s", n, path, program);
        if (access(file, X_OK) == 0)
            return true;
        path = path[n] == ':' ? path + n + 1 : NULL;
    }
    return false;
}

static int check_png(struct err *e)
{
    if (is_installed("rsvg-convert"))
        return 0;
    err_set(e, STATUS_SKIP, "--png: no rsvg-convert here");
    return err_advise(e, "install librsvg2-bin (Debian, Ubuntu), "
                         "librsvg2-tools (Fedora) or librsvg; or take --svg");
}

/* --- the converter ------------------------------------------------------- */

/* rsvg-convert from one descriptor to another. Returns 0 or an error number;
 * *status is what waitpid(2) has to say. */
static int spawn_converter(int from, int to, int *status)
{
    char *const argv[] = {(char[]){"rsvg-convert"}, (char[]){"--format"},
                          (char[]){"png"},          (char[]){"--zoom"},
                          (char[]){"1.5"},          NULL};
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    sigset_t pipes;
    pid_t pid;
    sigemptyset(&pipes);
    sigaddset(&pipes, SIGPIPE); /* which this program ignores */
    int why = posix_spawn_file_actions_init(&files);
    if (why != 0)
        return why;
    why = posix_spawnattr_init(&attributes);
    if (why == 0) {
        posix_spawn_file_actions_adddup2(&files, from, STDIN_FILENO);
        posix_spawn_file_actions_adddup2(&files, to, STDOUT_FILENO);
        posix_spawnattr_setsigdefault(&attributes, &pipes);
        posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
        why = posix_spawnp(&pid, argv[0], &files, &attributes, argv, environ);
        posix_spawnattr_destroy(&attributes);
    }
    posix_spawn_file_actions_destroy(&files);
    if (why != 0)
        return why;
    while (waitpid(pid, status, 0) < 0)
        if (errno != EINTR)
            return errno;
    return 0;
}

/* Waits until a slide comes down the pipe; the first byte may never. */
_Noreturn static void await_order(int order, int answer, int image)
{
    struct pollfd input = {.fd = order, .events = POLLIN};
    struct converted c = {0, 0};
    while (poll(&input, 1, -1) < 0 && errno == EINTR)
        ;
    if (input.revents & POLLIN) {
        c.why = spawn_converter(order, image, &c.status);
        if (write(answer, &c, sizeof c) != sizeof c)
            _exit(1);
    }
    _exit(0);
}

/* The converter's process has to be there before the lab: without root, the
 * lab ends with a PID namespace that is dead, and then nothing can be forked.
 * It is nobody's child, so that the lab does not take it for a program. */
static int prepare_converter(struct svg *s, struct err *e)
{
    int order[2] = {0, 0}, answer[2] = {0, 0};
    pid_t pid = -1;
    if (pipe2(order, O_CLOEXEC) == 0 && pipe2(answer, O_CLOEXEC) == 0)
        pid = fork();
    if (pid == 0) {
        setsid(); /* Ctrl-C is for us, who then write our files */
        if (fork() != 0)
            _exit(0);
        close(order[1]);
        close(answer[0]);
        await_order(order[0], answer[1], fileno(s->png.file));
    }
    s->order = order[1];
    s->answer = answer[0];
    close_pipe(&order[0]);
    close_pipe(&answer[1]);
    if (pid < 0)
        return err_sys(e, "--png");
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        ;
    return 0;
}

struct svg *svg_begin(const char *svg_path, const char *png_path, struct err *e)
{
    struct svg *s = calloc(1, sizeof *s);
    if (s == NULL) {
        err_sys(e, "memory for the slide");
        return NULL;
    }
    s->pages = mmap(NULL, sizeof *s->pages, PROT_READ | PROT_WRITE,
                    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (s->pages == MAP_FAILED) {
        s->pages = NULL;
        err_sys(e, "memory for the slide");
    } else if ((png_path == NULL || check_png(e) == 0) &&
               (svg_path == NULL || keep_open(&s->svg, svg_path, e) == 0) &&
               (png_path == NULL || (keep_open(&s->png, png_path, e) == 0 &&
                                     prepare_converter(s, e) == 0))) {
        return s;
    }
    svg_discard(s);
    return NULL;
}

void svg_discard(struct svg *s)
{
    if (s == NULL)
        return;
    close_pipe(&s->order);
    close_pipe(&s->answer);
    keep_discard(&s->svg);
    keep_discard(&s->png);
    if (s->pages != NULL)
        munmap(s->pages, sizeof *s->pages);
    free(s);
}

void svg_picture(struct svg *s, const struct svg_picture *picture)
{
    if (s->pages->count < SVG_PICTURES)
        s->pages->page[s->pages->count++].about = *picture;
}

void svg_row(const struct row *row, void *svg)
{
    struct svg *s = svg;
    struct page *p = &s->pages->page[s->pages->count - 1];
    if (row->kind == ROW_TOTAL) {
        p->total = *row;
        p->has_total = true;
    } else if (p->rows < SVG_ROWS) {
        p->row[p->rows++] = *row;
    } else {
        struct row *tail = p->row + SVG_HEAD;
        p->left_out++;
        memmove(tail, tail + 1, (SVG_TAIL - 1) * sizeof *tail);
        tail[SVG_TAIL - 1] = *row;
    }
}

/* --- the files ----------------------------------------------------------- */

static void draw(struct svg *s, FILE *to)
{
    struct pages *pages = s->pages;
    char title[ROW_TEXT + 64];
    double height = 0, width = 0;
    for (size_t i = 0; i < pages->count; i++) {
        double own = page_layout(&pages->page[i]);
        height = own > height ? own : height;
        width += page_width();
    }
    snprintf(title, sizeof title, _("Two hosts and the wire between them. %s"),
             pages->page[0].about.caption[SVG_CAPTIONS - 1]);
    ink_begin(to, width, height, title);
    for (size_t i = 0; i < pages->count; i++)
        page_describe(&pages->page[i], to);
    ink_end_description(to);
    for (size_t i = 0; i < pages->count; i++)
        page_draw(&pages->page[i], to, (double)i * page_width());
    ink_finish(to);
}

static int convert(struct svg *s, struct err *e)
{
    struct converted c = {EPIPE, 0};
    FILE *slide = fdopen(s->order, "w");
    if (slide == NULL)
        return err_sys(e, "memory for the slide");
    s->order = 0;
    draw(s, slide);
    fclose(slide); /* whether all went through, the converter will tell */
    while (read(s->answer, &c, sizeof c) < 0 && errno == EINTR)
        ;
    if (c.why == 0 && c.status == 0)
        return 0;
    errno = c.why;
    if (c.why != 0)
        return err_sys(e, "--png: rsvg-convert");
    return err_set(e, STATUS_FAILED, "%s: rsvg-convert could not write it",
                   s->png.path);
}

static bool is_empty(const struct svg *s)
{
    for (size_t i = 0; i < s->pages->count; i++)
        if (s->pages->page[i].rows > 0 || s->pages->page[i].has_total)
            return false;
    return true;
}

int svg_end(struct svg *s, struct err *e)
{
    int result = 0;
    if (is_empty(s)) {
        svg_discard(s);
        return 0;
    }
    if (s->svg.file != NULL) {
        draw(s, s->svg.file);
        result = keep_close(&s->svg, e);
    }
    if (result == 0 && s->png.file != NULL) {
        result = convert(s, e);
        if (result == 0)
            result = keep_close(&s->png, e);
    }
    svg_discard(s);
    return result;
}
