// SPDX-License-Identifier: Apache-2.0
#include "internal/doctor/host_machine.h"

#include "internal/base/account.h"
#include "internal/base/buf.h"
#include "internal/base/cleanup.h"
#include "internal/base/fd.h"
#include "internal/job/checkup.h"
#include "internal/roots/host_paths.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/utsname.h>
#include <sys/vfs.h>
#include <sys/xattr.h>

#define FILE_MAX (4U << 20)

struct reader {
    const char *root;
    struct buf text;
};

static char *path_of(const struct reader *r, const char *path)
{
    return str_fmt("%s/%s", r->root, path);
}

// "" where it cannot be read.
static const char *text_of(struct reader *r, const char *path)
{
    AUTO_FREE char *full = path_of(r, path);
    buf_clear(&r->text);
    buf_adds(&r->text, "");
    if (fd_read_file(AT_FDCWD, full, FILE_MAX, &r->text) < 0)
        buf_clear(&r->text);
    return r->text.len ? r->text.data : "";
}

static bool is_there(const struct reader *r, const char *path)
{
    AUTO_FREE char *full = path_of(r, path);
    return access(full, F_OK) == 0;
}

static long number_of(struct reader *r, const char *path)
{
    const char *text = text_of(r, path);
    return *text ? strtol(text, NULL, 10) : FACT_UNKNOWN;
}

// The value of KEY= in os-release(5), without quotes, appended to what dst holds.
static void add_os_value(const char *text, const char *key, char *dst, size_t size)
{
    size_t n = strlen(key);
    for (const char *line = text; *line; line += line[0] == '\n') {
        size_t len = strcspn(line, "\n");
        if (strncmp(line, key, n) == 0 && line[n] == '=') {
            const char *value = line + n + 1;
            size_t value_len = len - n - 1;
            if (value_len >= 2 && (*value == '"' || *value == '\'')) {
                value++;
                value_len -= 2;
            }
            size_t have = strlen(dst);
            if (have && have + 1 < size)
                dst[have++] = ' ';
            if (have + value_len < size) {
                memcpy(dst + have, value, value_len);
                dst[have + value_len] = '\0';
            }
            return;
        }
        line += len;
    }
}

static void read_os(struct reader *r, struct machine *m)
{
    const char *text = text_of(r, "etc/os-release"); // a link on most systems
    if (!*text)
        text = text_of(r, "usr/lib/os-release");
    add_os_value(text, "PRETTY_NAME", m->os_name, sizeof(m->os_name));
    add_os_value(text, "ID", m->os_ids, sizeof(m->os_ids));
    add_os_value(text, "ID_LIKE", m->os_ids, sizeof(m->os_ids));
    struct utsname name;
    if (uname(&name) == 0) {
        (void)snprintf(m->release, sizeof(m->release), "%s", name.release);
        char *end;
        unsigned long major = strtoul(name.release, &end, 10);
        m->kernel = (unsigned)(major * 1000 + (*end == '.' ? strtoul(end + 1, NULL, 10) : 0));
    }
}

static const char *container_of(const struct reader *r, char *const envp[])
{
    if (is_there(r, "run/secrets/kubernetes.io") ||
        host_paths_getenv(envp, "KUBERNETES_SERVICE_HOST"))
        return "Kubernetes";
    if (is_there(r, ".dockerenv"))
        return "docker";
    if (is_there(r, "run/.containerenv"))
        return "podman";
    const char *said = host_paths_getenv(envp, "container");
    return said && *said ? "a container" : NULL;
}

static void read_subids(struct reader *r, struct machine *m)
{
    m->free_range = 100000 / 65536 * 65536 + 65536;
    checkup_subids(text_of(r, "etc/subuid"), m->user, m->uid, &m->subuids, m->overlaps,
                   sizeof(m->overlaps), &m->free_range);
    // once more for uids, should gids have moved it
    checkup_subids(text_of(r, "etc/subgid"), m->user, m->uid, &m->subgids, m->overlaps,
                   sizeof(m->overlaps), &m->free_range);
}

static void read_helpers(const struct reader *r, struct machine *m)
{
    static const char *const places[] = {"usr/bin", "bin", "usr/local/bin", "run/wrappers/bin"};
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]) && !m->newuidmap; i++) {
        AUTO_FREE char *uid = str_fmt("%s/%s/newuidmap", r->root, places[i]);
        AUTO_FREE char *gid = str_fmt("%s/%s/newgidmap", r->root, places[i]);
        struct stat st;
        struct statvfs fs;
        if (stat(uid, &st) < 0 || access(gid, X_OK) < 0)
            continue;
        m->newuidmap = true;
        m->newuidmap_plain =
            !(st.st_mode & S_ISUID) && getxattr(uid, "security.capability", NULL, 0) < 0;
        m->newuidmap_nosuid = statvfs(uid, &fs) == 0 && (fs.f_flag & ST_NOSUID) != 0;
    }
}

// The numbers in a line, whatever stands between them. Returns how many there were, at most max.
static size_t numbers_of(const char *line, unsigned long ret[], size_t max)
{
    size_t n = 0;
    while (n < max && *(line += strcspn(line, "0123456789\n")) && *line != '\n') {
        char *end;
        ret[n++] = strtoul(line, &end, 10);
        line = end;
    }
    return n;
}

// user_namespaces(7): INSIDE OUTSIDE COUNT
static bool has_one_id(struct reader *r)
{
    unsigned long v[3];
    const char *text = text_of(r, "proc/self/uid_map");
    const char *end = strchr(text, '\n');
    return numbers_of(text, v, 3) == 3 && v[2] == 1 && end && !end[1];
}

// keyrings(7): "UID: usage nkeys/nikeys qnkeys/maxkeys qnbytes/maxbytes"
static void read_keys(struct reader *r, struct machine *m)
{
    m->max_keys = number_of(r, "proc/sys/kernel/keys/maxkeys");
    m->used_keys = FACT_UNKNOWN;
    const char *text = text_of(r, "proc/key-users");
    for (const char *line = text; *line; line += strcspn(line, "\n"), line += *line == '\n') {
        unsigned long v[6];
        if (numbers_of(line, v, 6) == 6 && v[0] == m->uid) {
            m->used_keys = (long)v[4];
            m->max_keys = (long)v[5];
        }
    }
}

void host_machine_read(const char *root, char *const envp[], struct machine *ret)
{
    struct reader r = {.root = root};
    struct machine m = {.uid = getuid(), .cache_fs = ""};
    struct stat st;
    AUTO_ACCOUNT struct account account = {0};
    if (account_of(m.uid, &account) == 0)
        (void)snprintf(m.user, sizeof(m.user), "%s", account.name);
    read_os(&r, &m);
    m.container = container_of(&r, envp);
    m.max_user_namespaces = number_of(&r, "proc/sys/user/max_user_namespaces");
    m.unprivileged_userns_clone = number_of(&r, "proc/sys/kernel/unprivileged_userns_clone");
    m.apparmor_restrict = number_of(&r, "proc/sys/kernel/apparmor_restrict_unprivileged_userns");
    m.inotify_instances = number_of(&r, "proc/sys/fs/inotify/max_user_instances");
    m.inotify_watches = number_of(&r, "proc/sys/fs/inotify/max_user_watches");
    m.seccomp_filtered = strstr(text_of(&r, "proc/self/status"), "\nSeccomp:\t2") != NULL;
    m.proc_masked = checkup_proc_masked(text_of(&r, "proc/self/mountinfo"));
    m.no_new_privs = prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1;
    read_keys(&r, &m);
    read_subids(&r, &m);
    read_helpers(&r, &m);
    m.one_id = has_one_id(&r);
    AUTO_FREE char *tun = path_of(&r, "dev/net/tun");
    m.tun = stat(tun, &st) == 0;
    m.tun_mode = m.tun ? st.st_mode : 0;
    buf_done(&r.text);
    *ret = m;
}

// Those on which an overlay cannot have its upper layer, or that deserve a word.
static const char *kind_of(unsigned long magic)
{
    static const struct {
        unsigned long magic;
        const char *name;
    } kinds[] = {
        {NFS_SUPER_MAGIC, "NFS"},           {OVERLAYFS_SUPER_MAGIC, "an overlay itself"},
        {TMPFS_MAGIC, "a tmpfs"},           {FUSE_SUPER_MAGIC, "FUSE"},
        {CIFS_SUPER_MAGIC, "CIFS"},         {SMB2_SUPER_MAGIC, "SMB"},
        {ECRYPTFS_SUPER_MAGIC, "eCryptfs"}, {V9FS_MAGIC, "9P"},
        {MSDOS_SUPER_MAGIC, "FAT"},         {AFS_SUPER_MAGIC, "AFS"},
    };
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (kinds[i].magic == magic)
            return kinds[i].name;
    return "";
}

void host_machine_read_disk(const char *dir, struct machine *ret)
{
    struct statfs fs;
    (void)snprintf(ret->cache, sizeof(ret->cache), "%s", dir);
    if (statfs(dir, &fs) < 0)
        return;
    ret->cache_fs = kind_of((unsigned long)fs.f_type);
    ret->free_bytes = (uint64_t)fs.f_bavail * (uint64_t)fs.f_bsize;
    ret->free_inodes = fs.f_files ? fs.f_ffree : UINT64_MAX; // btrfs has no number of them
}
