// SPDX-License-Identifier: Apache-2.0
#include "internal/roots/init_layer.h"

#include "internal/base/cleanup.h"
#include "internal/base/err.h"
#include "internal/base/fd.h"
#include "internal/base/fspath.h"
#include "internal/job/resolvconf.h"
#include "internal/job/stage.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdint.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define ETC_FILE_MAX (1U << 20)
#define USED_GRAIN_S 60

struct file {
    const char *name;
    struct buf text;
};

enum { HOSTS, HOSTNAME, RESOLV_CONF, FILES };

static void read_resolv(struct buf *text)
{
    AUTO_FREE char *resolv = realpath("/etc/resolv.conf", NULL); // a link with systemd-resolved
    if (resolv)
        (void)fd_read_file(AT_FDCWD, resolv, ETC_FILE_MAX, text);
}

static void write_resolv(const struct net_opts *net, struct buf *out)
{
    AUTO_BUF struct buf text = {0};
    AUTO_RESOLV_CONF struct resolv_conf machine;
    read_resolv(&text);
    resolv_conf_read(text.data, text.len, &machine);
    resolv_conf_for_job(net, &machine, out);
}

static void write_texts(const struct init_layer *l, struct file files[FILES])
{
    files[HOSTS].name = "hosts";
    files[HOSTNAME].name = "hostname";
    files[RESOLV_CONF].name = "resolv.conf";
    buf_addf(&files[HOSTNAME].text, "%s\n", l->hostname);
    struct buf *hosts = &files[HOSTS].text;
    if (l->network == NETWORK_HOST) {
        (void)fd_read_file(AT_FDCWD, "/etc/hosts", ETC_FILE_MAX, hosts);
        read_resolv(&files[RESOLV_CONF].text);
    } else {
        buf_adds(hosts, "127.0.0.1\tlocalhost\n"
                        "::1\tlocalhost ip6-localhost ip6-loopback\n");
    }
    if (hosts->len && hosts->data[hosts->len - 1] != '\n')
        buf_addc(hosts, '\n');
    buf_addf(hosts, "127.0.1.1\t%s\n", l->hostname);
    for (size_t i = 0; i < l->net->n_hosts; i++) {
        char address[IP_TEXT_MAX];
        buf_addf(hosts, "%s\t%s\n", ip_format(&l->net->hosts[i].addr, address),
                 l->net->hosts[i].name);
    }
    if (l->network == NETWORK_SLIRP)
        write_resolv(l->net, &files[RESOLV_CONF].text);
}

static uint64_t fnv(uint64_t hash, const char *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++)
        hash = (hash ^ (unsigned char)bytes[i]) * UINT64_C(0x100000001b3);
    return hash;
}

static uint64_t name_of(const struct init_layer *l, const struct file files[FILES])
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < FILES; i++)
        hash = fnv(hash, buf_str(&files[i].text), files[i].text.len + 1);
    for (size_t i = 0; l->top_dirs && i < l->top_dirs->n; i++)
        hash = fnv(hash, l->top_dirs->v[i], strlen(l->top_dirs->v[i]) + 1);
    for (size_t i = 0; l->top_links && i < l->top_links->n; i++) {
        const char *name = l->top_links->v[i];
        size_t n = strlen(name) + 1;
        hash = fnv(hash, name, n);
        hash = fnv(hash, name + n, strlen(name + n) + 1);
    }
    return hash;
}

// Whether the layer is there with these texts: what a power failure may have left empty is made
// again.
static bool is_whole(int dir, const struct file files[FILES])
{
    for (size_t i = 0; i < FILES; i++) {
        AUTO_BUF struct buf text = {0};
        char path[32];
        (void)snprintf(path, sizeof(path), "etc/%s", files[i].name);
        if (fd_read_file(dir, path, ETC_FILE_MAX, &text) < 0 || text.len != files[i].text.len ||
            (text.len && memcmp(text.data, files[i].text.data, text.len) != 0))
            return false;
    }
    return true;
}

static int fill(int dir, const struct init_layer *l, const struct file files[FILES])
{
    if (mkdirat(dir, "etc", 0755) < 0)
        return -errno;
    for (size_t i = 0; i < FILES; i++) {
        char path[32];
        (void)snprintf(path, sizeof(path), "etc/%s", files[i].name);
        int r = fd_create_file(dir, path, 0644, files[i].text.data, files[i].text.len);
        if (r < 0)
            return r;
    }
    for (size_t i = 0; l->top_dirs && i < l->top_dirs->n; i++)
        if (mkdirat(dir, l->top_dirs->v[i], 0755) < 0 && errno != EEXIST)
            return -errno;
    for (size_t i = 0; l->top_links && i < l->top_links->n; i++) {
        const char *name = l->top_links->v[i];
        if (symlinkat(name + strlen(name) + 1, dir, name) < 0)
            return -errno;
    }
    return 0;
}

// Makes it under a name of its own and renames: another bryo may make the same at the same time,
// and whoever comes second finds it there.
static int make(int parent, const char *name, const struct init_layer *l,
                const struct file files[FILES])
{
    char temp[48];
    uint64_t random = 0;
    if (getrandom(&random, sizeof(random), 0) != (ssize_t)sizeof(random))
        return -errno;
    (void)snprintf(temp, sizeof(temp), ".new-%016" PRIx64, random);
    if (mkdirat(parent, temp, 0755) < 0)
        return -errno;
    AUTO_FD int dir = openat(parent, temp, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int r = dir < 0 ? -errno : fill(dir, l, files);
    if (r == 0 && renameat2(parent, temp, parent, name, RENAME_NOREPLACE) < 0 && errno != EEXIST)
        r = -errno;
    (void)fspath_remove_tree(parent, temp);
    return r;
}

// Once a minute at most, as for images: warm starts do not dirty the disk.
static void note_use(int fd, const char *path)
{
    struct stat st;
    time_t now = time(NULL);
    if (fstat(fd, &st) == 0 && (now < st.st_mtim.tv_sec || now - st.st_mtim.tv_sec >= USED_GRAIN_S))
        (void)utimensat(AT_FDCWD, path, NULL, 0);
}

void init_layer_prune(const char *bryo_dir, uint64_t older_than_s, const struct strv *kept)
{
    AUTO_FREE char *dir_path = str_fmt("%s/init", bryo_dir);
    AUTO_DIR DIR *dir = opendir(dir_path);
    struct dirent *ent;
    struct stat st;
    uint64_t least = 2 * (uint64_t)USED_GRAIN_S;
    if (older_than_s > least)
        least = older_than_s;
    while (dir && (ent = readdir(dir))) { // NOLINT(concurrency-mt-unsafe): a stream of our own
        AUTO_FREE char *path = str_fmt("%s/%s", dir_path, ent->d_name);
        bool needed = strcmp(ent->d_name, ".") == 0 || strcmp(ent->d_name, "..") == 0;
        for (size_t i = 0; i < kept->n; i++)
            needed = needed || strcmp(kept->v[i], path) == 0;
        if (needed || fstatat(dirfd(dir), ent->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
            continue;
        int64_t age = (int64_t)time(NULL) - st.st_mtim.tv_sec;
        if (age >= 0 && (uint64_t)age >= least)
            (void)fspath_remove_tree(dirfd(dir), ent->d_name);
    }
}

static int ensure_in(const char *dir_path, const struct init_layer *l,
                     const struct file files[FILES], char **ret)
{
    char name[20];
    (void)snprintf(name, sizeof(name), "%016" PRIx64, name_of(l, files));
    *ret = str_fmt("%s/%s", dir_path, name);
    for (int tries = 0; tries < 2; tries++) {
        AUTO_FD int have = open(*ret, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (have >= 0 && is_whole(have, files)) {
            note_use(have, *ret);
            return 0;
        }
        int r = fspath_make_dirs(dir_path, 0700);
        AUTO_FD int parent =
            r < 0 ? -1 : open(dir_path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (r == 0 && parent < 0)
            r = -errno;
        if (r == 0 && have >= 0)
            r = fspath_remove_tree(parent, name);
        if (r == 0)
            r = make(parent, name, l, files);
        if (r < 0)
            return r;
    }
    return 0;
}

int init_layer_ensure(const char *bryo_dir, const struct init_layer *l, char **ret, struct err *err)
{
    struct file files[FILES] = {0};
    AUTO_FREE char *dir_path = str_fmt("%s/init", bryo_dir);
    AUTO_FREE char *path = NULL;
    write_texts(l, files);
    int r = ensure_in(dir_path, l, files, &path);
    for (size_t i = 0; i < FILES; i++)
        buf_done(&files[i].text);
    if (r < 0) {
        (void)err_sys(err, -r, "cannot make %s", dir_path);
        return err_stage(err, STAGE_SCRATCH);
    }
    *ret = TAKE_PTR(path);
    return 0;
}
