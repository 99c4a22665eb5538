/* SPDX-License-Identifier: MIT
 *
 * cure: from what /proc shows to what to do. See cure.h for the contract.
 */
#include "cure.h"

#include "lang.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Does the file begin with TEXT? */
static bool begins(const char *path, const char *text)
{
    char got[16] = "";
    FILE *f = fopen(path, "re");
    if (f == NULL)
        return false;
    if (fgets(got, sizeof got, f) == NULL)
        got[0] = '\0';
    fclose(f);
    return strncmp(got, text, strlen(text)) == 0;
}

static bool no_user_namespaces(void)
{
    return begins("/proc/sys/user/max_user_namespaces", "0\n");
}

static bool root_only(void)
{
    return begins("/proc/sys/kernel/unprivileged_userns_clone", "0");
}

static bool apparmor(void)
{
    return geteuid() != 0 &&
           begins("/proc/sys/kernel/apparmor_restrict_unprivileged_userns",
                  "1");
}

/* In a chroot the root directory is no mount point of its own. */
static bool chrooted(void)
{
    char line[4096], point[4096];
    bool seen = false, root = false;
    FILE *f = fopen("/proc/self/mountinfo", "re");
    while (f != NULL && fgets(line, sizeof line, f) != NULL) {
        seen = true;
        root |= sscanf(line, "%*s %*s %*s %*s %4095s", point) == 1 &&
                strcmp(point, "/") == 0;
    }
    if (f != NULL)
        fclose(f);
    return seen && !root;
}

static bool filtered(void)
{
    char line[512];
    int mode = 0;
    FILE *f = fopen("/proc/self/status", "re");
    while (f != NULL && fgets(line, sizeof line, f) != NULL &&
           sscanf(line, "Seccomp: %d", &mode) != 1)
        ;
    if (f != NULL)
        fclose(f);
    return mode == 2;
}

static bool always(void)
{
    return true;
}

static const struct {
    bool (*applies)(void);
    struct cure cure;
} reasons[] = {
    {no_user_namespaces,
     {N_("user namespaces are switched off (user.max_user_namespaces = 0)"),
      N_("sudo sysctl user.max_user_namespaces=10000")}},
    {root_only,
     {N_("only root may make user namespaces "
         "(kernel.unprivileged_userns_clone)"),
      N_("sudo sysctl kernel.unprivileged_userns_clone=1")}},
    {apparmor,
     {N_("AppArmor lets only programs that it knows make user namespaces"),
      N_("sudo make install-apparmor; or: sudo sysctl "
         "kernel.apparmor_restrict_unprivileged_userns=0")}},
    {chrooted,
     {N_("this is a chroot, and the kernel allows no user namespace in one"),
      N_("enter it by bwrap or systemd-nspawn instead of chroot")}},
    {filtered,
     {N_("a seccomp filter is on, as in a container"),
      N_("docker run --security-opt seccomp=unconfined --security-opt "
         "apparmor=unconfined; or run it outside of the container")}},
    {always,
     {N_("the kernel does not say why"),
      N_("try it as root, or outside of a container; wirelab --loopback needs "
         "no namespace")}},
};
#define REASONS (sizeof reasons / sizeof *reasons)

const struct cure *cure_namespaces(void)
{
    size_t i = 0;
    while (!reasons[i].applies())
        i++;
    return &reasons[i].cure;
}

size_t cure_each(void (*fn)(const struct cure *c, void *context), void *context)
{
    size_t found = 0;
    for (size_t i = 0; i < REASONS - 1; i++)
        if (reasons[i].applies()) {
            found++;
            fn(&reasons[i].cure, context);
        }
    return found;
}
