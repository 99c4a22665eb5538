/* SPDX-License-Identifier: MIT
 *
 * What a program needs that is linked without shared libraries (make tarball).
 * It must run on any distribution, so nothing may be loaded while it runs: the
 * C library looks names up in /etc/hosts and by DNS, which are built in, and
 * not by what nsswitch.conf asks for; it may have to bring its locale; and
 * libpcap, of which only the reading of files is used, is kept from D-Bus and
 * from all that this would bring.
 * Read next: the Makefile, below "tarball"; common/addr.c, which looks up.
 */
#include <locale.h>
#include <nss.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* An nsswitch.conf may name modules made for another C library: "mymachines",
 * "resolve". Loading one can crash; the linker warns of just that. What it
 * says of DNS is followed: in the lab there is none. */
__attribute__((constructor)) static void keep_to_built_in(void)
{
    const char *hosts = "files dns";
    char line[512];
    FILE *f = fopen("/etc/nsswitch.conf", "re");
    while (f != NULL && fgets(line, sizeof line, f) != NULL)
        if (strncmp(line, "hosts:", 6) == 0 && strstr(line, "dns") == NULL)
            hosts = "files";
    if (f != NULL)
        fclose(f);
    __nss_configure_lookup("hosts", hosts);
    __nss_configure_lookup("services", "files");
}

/* UTF-8 is a locale, and those are files. Where the system has none that this
 * C library reads, there is one beside the programs. */
__attribute__((constructor)) static void bring_locale(void)
{
    char path[4096];
    ssize_t n = readlink("/proc/self/exe", path, sizeof path - 32);
    if (setlocale(LC_CTYPE, "C.UTF-8") == NULL && n > 0) {
        path[n] = '\0';
        strcpy(strrchr(path, '/'), "/../share/locale");
        setenv("LOCPATH", path, 0);
    }
    setlocale(LC_CTYPE, "C");
}

/* libpcap asks each kind of device it knows of; from a file it asks none.
 * These names are its own (pcap-dbus.c): found here, they are not there. */
int dbus_findalldevs(void *list, char *why);
void *dbus_create(const char *device, char *why, int *is_ours);

int dbus_findalldevs(void *list, char *why)
{
    (void)list, (void)why;
    return 0;
}

void *dbus_create(const char *device, char *why, int *is_ours)
{
    (void)device, (void)why;
    *is_ours = 0;
    return 0;
}
