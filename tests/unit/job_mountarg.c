// SPDX-License-Identifier: Apache-2.0
#include "internal/base/err.h"
#include "internal/job/mountarg.h"
#include "tests/unit/tap.h"

static int volume(const char *value, struct mount_req *m, struct err *err)
{
    return mountarg_volume(value, "/base", m, err);
}

typedef int parse_fn(const char *value, struct mount_req *m, struct err *err);

// want: "SRC DST ro size mode exec", or a part of the error after "!".
static void check(parse_fn *fn, const char *value, const char *want)
{
    struct mount_req m = {0};
    struct err err = {0};
    AUTO_BUF struct buf b = {0};
    int r = fn(value, &m, &err);
    if (*want == '!') {
        ok(r < 0 && err.num == -r && strstr(err.text, want + 1) && !m.target && !m.source,
           "%s is refused: %s", value, err.text);
        return;
    }
    buf_addf(&b, "%s %s %s", m.source ? m.source : "-", m.target ? m.target : "-",
             m.read_only ? "ro" : "rw");
    if (m.kind == MOUNT_TMPFS)
        buf_addf(&b, " %" PRIu64 " %o%s", m.size, m.mode, m.exec ? " exec" : "");
    if (m.inodes)
        buf_addf(&b, " nr_inodes=%" PRIu64, m.inodes);
    is_str(r == 0 ? buf_str(&b) : err.text, want, "%s", value);
    mount_req_done(&m);
}

static void volumes(void)
{
    static const char *const rows[][2] = {
        {"/a:/b", "/a /b rw"},
        {"/a:/b:ro", "/a /b ro"},
        {"/a:/b:rw", "/a /b rw"},
        {"/a:/b:ro,z", "/a /b ro"},
        {"/a:/b:Z,rbind,rprivate,cached,ro", "/a /b ro"},
        {"./a:/b", "/base/a /b rw"},
        {"a/b:/c", "/base/a/b /c rw"},
        {".:/b", "/base /b rw"},
        {"..:/b", "/ /b rw"},
        {"../x:/b", "/x /b rw"},
        {"/a//b/./c/../d/:/x//y/../z/", "/a/b/d /x/z rw"},
        {"/a b:/c d", "/a b /c d rw"},
        {"", "!not of the form"},
        {"/a", "!not of the form"},
        {"/a:/b:ro:x", "!not of the form"},
        {":/b", "!no path before"},
        {"/a:", "!not absolute"},
        {"/a:b", "!not absolute"},
        {"/a:./b", "!not absolute"},
        {"/a:/", "!over \"/\""},
        {"/a:/b/..", "!over \"/\""},
        {"data:/b", "!named volume"},
        {"/a:/b:", "!unknown option \"\""},
        {"/a:/b:ro,rw", "!both ro and rw"},
        {"/a:/b:rw,ro", "!both ro and rw"},
        {"/a:/b:U", "!unknown option \"U\""},
        {"/a:/b:RO", "!unknown option \"RO\""},
        {"/a:/b:shared", "!unknown option \"shared\""},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        check(volume, rows[i][0], rows[i][1]);
}

static void tmpfs(void)
{
    static const char *const rows[][2] = {
        {"/t", "- /t rw 0 1777"},
        {"/t/", "- /t rw 0 1777"},
        {"/t:size=64m,mode=755,exec", "- /t rw 67108864 755 exec"},
        {"/t:ro,noexec,nosuid,nodev", "- /t ro 0 1777"},
        {"/t:exec,noexec", "- /t rw 0 1777"},
        {"/t:size=1", "- /t rw 1 1777"},
        {"t", "!not absolute"},
        {"", "!not absolute"},
        {"/", "!over \"/\""},
        {"/t:", "!unknown option"},
        {"/t:size=0", "!not a size"}, // which tmpfs would read as no limit
        {"/t:size=", "!not a size"},
        {"/t:size=50%", "!not a size"},
        {"/t:size=-1", "!not a size"},
        {"/t:size=16777215t", "!not a size"},
        {"/t:nr_inodes=100,size=1", "- /t rw 1 1777 nr_inodes=100"},
        {"/t:nr_inodes=0", "!not a number"},
        {"/t:nr_inodes=1k", "!not a number"},
        {"/t:mode=8", "!not octal"},
        {"/t:mode=10000", "!not octal"},
        {"/t:suid", "!unknown option"},
        {"/t:dev", "!unknown option"},
        {"/t:uid=0", "!unknown option"},
        {"/t:ro,rw", "!both ro and rw"},
        {"/a:/b:ro", "!not of the form"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        check(mountarg_tmpfs, rows[i][0], rows[i][1]);
}

static void devices(void)
{
    static const char *const rows[][2] = {
        {"/dev/fuse", "/dev/fuse /dev/fuse rw"},
        {"/dev/fuse:rwm", "/dev/fuse /dev/fuse rw"},
        {"/dev/fuse:/dev/x", "/dev/fuse /dev/x rw"},
        {"/dev/fuse:/dev/x:rw", "/dev/fuse /dev/x rw"},
        {"/dev/fuse:/dev/x:mwr", "/dev/fuse /dev/x rw"},
        {"/dev/fuse:r", "!held to \"r\""},
        {"/dev/fuse:/dev/x:m", "!held to \"m\""},
        {"/dev/fuse:/dev/x:", "!no set of rights"},
        {"/dev/fuse:/dev/x:rwx", "!no set of rights"},
        {"/dev/fuse:x", "!not absolute"},
        {"fuse", "!not of the form"},
        {"", "!not of the form"},
        {"/a:/b:rw:x", "!not of the form"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        check(mountarg_device, rows[i][0], rows[i][1]);
}

int main(void)
{
    volumes();
    tmpfs();
    devices();
    return done_testing();
}
