// SPDX-License-Identifier: Apache-2.0
#include "internal/sandbox/guest_layers.h"

#include "internal/base/buf.h"
#include "internal/base/err.h"
#include "internal/sandbox/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/xattr.h>

struct file_id {
    dev_t dev;
    ino_t ino;
};

void guest_layers_close(struct guest_layers *layers)
{
    for (size_t i = 0; i < layers->n; i++)
        (void)close(layers->fds[i]);
    free(layers->fds);
    free(layers->ids);
    *layers = (struct guest_layers){0};
}

// overlayfs joins the tops of all its layers, whatever they say.
static bool is_opaque(int fd)
{
    char path[32];
    char value = 0;
    (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    return getxattr(path, "user.overlay.opaque", &value, 1) == 1 && value == 'y';
}

// The kernel refuses a directory that is there twice (ELOOP). The lower one has nothing that the
// upper one does not have above it.
static bool has(const struct guest_layers *layers, const struct stat *st)
{
    for (size_t i = 0; i < layers->n; i++)
        if (layers->ids[i].dev == st->st_dev && layers->ids[i].ino == st->st_ino)
            return true;
    return false;
}

static int add(struct guest_layers *layers, const char *path, const char *what, struct err *err)
{
    struct stat st;
    AUTO_FD int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) < 0)
        return err_sys(err, errno, "cannot open the %s %s", what, path);
    if (has(layers, &st))
        return 0;
    layers->ids[layers->n] = (struct file_id){st.st_dev, st.st_ino};
    layers->fds[layers->n++] = TAKE_FD(fd);
    return 0;
}

static int add_all(struct guest_layers *layers, const struct sandbox_root *root, struct err *err)
{
    int r = root->bind_init_files ? 0 : add(layers, root->init_layer, "init layer", err);
    for (size_t i = root->n_layers; r == 0 && i-- > 0;) {
        r = add(layers, root->layers[i], "layer", err);
        if (r == 0 && is_opaque(layers->fds[layers->n - 1]))
            return 0;
    }
    return r < 0 ? r : add(layers, root->lower, "root file system", err);
}

int guest_layers_open(struct guest_layers *ret, const struct sandbox_root *root, struct err *err)
{
    // All of them are open at once, for a moment; the job's own limit stays what it was.
    struct rlimit was;
    bool raised = root->n_layers > 100 && getrlimit(RLIMIT_NOFILE, &was) == 0;
    if (raised) {
        struct rlimit more = {was.rlim_max, was.rlim_max};
        (void)setrlimit(RLIMIT_NOFILE, &more);
    }
    ret->ids = mem_alloc((root->n_layers + 2) * sizeof(*ret->ids));
    ret->fds = mem_alloc((root->n_layers + 2) * sizeof(*ret->fds));
    int r = add_all(ret, root, err);
    if (raised)
        (void)setrlimit(RLIMIT_NOFILE, &was);
    return r;
}
