// SPDX-License-Identifier: Apache-2.0
#include "internal/image/tarscan.h"

#include "internal/base/buf.h"
#include "internal/base/cleanup.h"
#include "internal/base/err.h"
#include "internal/image/stream.h"
#include "internal/image/tar_pax.h"

#include <inttypes.h>
#include <string.h>

#define BLOCK 512U

// Fields of a header: offset and width (ustar; the last three GNU's).
#define AT_NAME     0, 100
#define AT_SIZE     124, 12
#define AT_TYPE     156
#define AT_LINK     157, 100
#define AT_MAGIC    257
#define AT_PREFIX   345, 155
#define AT_EXTENDED 482
#define AT_REALSIZE 483, 12

// A size field has room for this much; only beyond it may a pax record differ from it.
#define OCTAL_MAX (UINT64_C(1) << 33)

enum state {
    IN_HEADER,     // collecting a header block
    IN_EXTENSION,  // collecting the body of an extension header
    IN_OLD_SPARSE, // collecting a continuation of an old GNU sparse map
    IN_NEW_SPARSE, // collecting the first block of a pax 1.0 sparse map
    IN_ZERO,       // the first of the two blocks of zeros was read
    AFTER_END,     // both were
};

struct node {
    struct tar_member member;
    struct node *next;
};

struct tarscan {
    enum state state;
    uint64_t at;        // offset of the next byte
    uint64_t skip;      // bytes to pass over before the state goes on
    uint64_t header_at; // offset of the header that is being dealt with
    uint64_t want;      // IN_EXTENSION: bytes of its body that are missing
    uint64_t padding;   // behind that body
    char extension;     // its type
    struct buf body;
    unsigned char block[BLOCK];
    size_t have;
    // what extension headers said about the member to come
    struct pax pax;
    char *long_name;
    char *long_link;
    unsigned n_ext;
    uint64_t n_ext_total;
    struct node *head;
    struct node **tail;
};

void tar_member_done(struct tar_member *m)
{
    free(m->path);
    free(m->link);
    m->path = NULL;
    m->link = NULL;
}

struct tarscan *tarscan_new(void)
{
    struct tarscan *s = mem_alloc(sizeof(*s));
    s->tail = &s->head;
    return s;
}

static void forget_extensions(struct tarscan *s)
{
    pax_done(&s->pax);
    free(s->long_name);
    free(s->long_link);
    s->long_name = NULL;
    s->long_link = NULL;
    s->n_ext = 0;
}

void tarscan_free(struct tarscan *s)
{
    if (!s)
        return;
    struct tar_member m;
    while (tarscan_pop(s, &m))
        tar_member_done(&m);
    forget_extensions(s);
    buf_done(&s->body);
    free(s);
}

bool tarscan_pop(struct tarscan *s, struct tar_member *ret)
{
    struct node *n = s->head;
    if (!n)
        return false;
    s->head = n->next;
    if (!s->head)
        s->tail = &s->head;
    *ret = n->member;
    free(n);
    return true;
}

uint64_t tarscan_extensions(const struct tarscan *s)
{
    return s->n_ext_total;
}

static int refuse(const struct tarscan *s, struct err *err, const char *why)
{
    return err_set(err, EBADMSG, "the tar header at byte %" PRIu64 " of the archive %s",
                   s->header_at, why);
}

static bool all_zero(const unsigned char *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (p[i])
            return false;
    return true;
}

// Octal digits between blanks or NULs, or GNU's binary form for what does not fit.
static bool number(const unsigned char *block, size_t at, size_t width, uint64_t *ret)
{
    const unsigned char *p = block + at;
    uint64_t v = 0;
    size_t i = 0;
    if (p[0] == 0x80) {
        for (i = 1; i < width; i++) {
            if (v >> 55)
                return false;
            v = v << 8 | p[i];
        }
        *ret = v;
        return v <= INT64_MAX / 2;
    }
    while (i < width && p[i] == ' ')
        i++;
    for (; i < width && p[i] >= '0' && p[i] <= '7'; i++)
        v = v * 8 + (p[i] - '0');
    while (i < width && (p[i] == ' ' || p[i] == '\0'))
        i++;
    *ret = v;
    return i == width;
}

static char *field(const unsigned char *block, size_t at, size_t width)
{
    const char *p = (const char *)block + at;
    return str_dupn(p, strnlen(p, width));
}

static char *header_name(const unsigned char *block)
{
    AUTO_FREE char *name = field(block, AT_NAME);
    bool posix = memcmp(block + AT_MAGIC, "ustar", 5) == 0 &&
                 memcmp(block + AT_MAGIC, "ustar  ", 7) != 0; // GNU has other things in the prefix
    AUTO_FREE char *prefix = posix ? field(block, AT_PREFIX) : str_dup("");
    size_t n = strlen(prefix);
    if (n == 0)
        return TAKE_PTR(name);
    return str_fmt(prefix[n - 1] == '/' ? "%s%s" : "%s/%s", prefix, name);
}

static int type_of(struct tarscan *s, char flag, enum tar_type *ret, struct err *err)
{
    switch (flag) {
    case '0':
    case '\0':
    case '7':
    case 'S':
        *ret = TAR_FILE;
        return 0;
    case '1':
        *ret = TAR_HARDLINK;
        return 0;
    case '2':
        *ret = TAR_SYMLINK;
        return 0;
    case '3':
    case '4':
        *ret = TAR_DEVICE;
        return 0;
    case '5':
        *ret = TAR_DIR;
        return 0;
    case '6':
        *ret = TAR_FIFO;
        return 0;
    default:
        return refuse(s, err, "is of a type that bryo does not know");
    }
}

// One size, or none that is certain. The header's own field is the truth unless a pax record has
// more room than it; where both speak and differ, different readers would take different bytes for
// the next header.
static int stored_size(struct tarscan *s, uint64_t in_header, uint64_t *ret, struct err *err)
{
    *ret = s->pax.has_size ? s->pax.size : in_header;
    if (s->pax.has_size && s->pax.size != in_header && in_header != 0 && s->pax.size < OCTAL_MAX)
        return refuse(s, err, "and its pax header disagree about the size");
    return 0;
}

static int name_member(struct tarscan *s, struct tar_member *m, struct err *err)
{
    if (s->pax.present && (s->long_name || s->long_link))
        return refuse(s, err, "has both pax and GNU extensions, which may contradict each other");
    if (s->pax.sparse_name)
        m->path = TAKE_PTR(s->pax.sparse_name);
    else if (s->pax.path)
        m->path = TAKE_PTR(s->pax.path);
    else if (s->long_name)
        m->path = TAKE_PTR(s->long_name);
    else
        m->path = header_name(s->block);
    if (!m->path[0])
        return refuse(s, err, "has no name");
    if (m->type != TAR_SYMLINK && m->type != TAR_HARDLINK)
        return 0;
    if (s->pax.link)
        m->link = TAKE_PTR(s->pax.link);
    else if (s->long_link)
        m->link = TAKE_PTR(s->long_link);
    else
        m->link = field(s->block, AT_LINK);
    return m->link[0] ? 0 : refuse(s, err, "is a link to nothing");
}

static int describe(struct tarscan *s, struct tar_member *m, uint64_t *ret_stored, struct err *err)
{
    char flag = (char)s->block[AT_TYPE];
    uint64_t in_header = 0;
    m->offset = s->header_at;
    int r = type_of(s, flag, &m->type, err);
    if (r == 0 && !number(s->block, AT_SIZE, &in_header))
        r = refuse(s, err, "has a size that is no number");
    if (r == 0)
        r = stored_size(s, in_header, ret_stored, err);
    if (r == 0)
        r = name_member(s, m, err);
    if (r < 0)
        return r;
    // Old programs wrote a directory as a file whose name ends in a slash.
    if (m->type == TAR_FILE && m->path[strlen(m->path) - 1] == '/')
        m->type = TAR_DIR;
    if (m->type != TAR_FILE && (*ret_stored > 0 || in_header > 0 || s->pax.sparse))
        return refuse(s, err, "gives a size to what is no file");
    m->size = *ret_stored;
    m->mtime = s->pax.mtime;
    m->atime = s->pax.atime;
    if (flag == 'S') {
        m->sparse = true;
        if (s->pax.sparse || !number(s->block, AT_REALSIZE, &m->size))
            return refuse(s, err, "has a sparse map that makes no sense");
    } else if (s->pax.sparse) {
        m->sparse = true;
        m->size = s->pax.realsize;
    }
    return 0;
}

static void skip_data(struct tarscan *s, uint64_t stored)
{
    s->skip = (stored + BLOCK - 1) / BLOCK * BLOCK;
    s->state = IN_HEADER;
}

static int on_member(struct tarscan *s, struct err *err)
{
    struct tar_member m = {0};
    uint64_t stored = 0;
    int r = describe(s, &m, &stored, err);
    if (r < 0) {
        tar_member_done(&m);
        return r;
    }
    struct node *n = mem_alloc(sizeof(*n));
    n->member = m;
    *s->tail = n;
    s->tail = &n->next;
    bool new_map = s->pax.sparse && s->pax.sparse_major == 1;
    forget_extensions(s);
    skip_data(s, stored);
    if (s->block[AT_TYPE] == 'S' && s->block[AT_EXTENDED])
        s->state = IN_OLD_SPARSE; // its blocks come before the data and are not in the size
    if (new_map && stored >= BLOCK) {
        s->state = IN_NEW_SPARSE;
        s->skip -= BLOCK;
    }
    return 0;
}

// The state machine passes over s->skip first, so a block that comes before the data parks it.
static int on_old_sparse(struct tarscan *s, struct err *err)
{
    if (++s->n_ext > TARSCAN_EXT_MAX)
        return refuse(s, err, "has a sparse map without end");
    s->n_ext_total++;
    if (!s->block[504]) {
        s->state = IN_HEADER;
        s->n_ext = 0;
    }
    return 0;
}

// A pax 1.0 map begins with the number of its pieces; libarchive allocates for each.
static int on_new_sparse(struct tarscan *s, struct err *err)
{
    uint64_t pieces = 0;
    size_t i = 0;
    while (i < BLOCK && s->block[i] >= '0' && s->block[i] <= '9' && pieces <= TARSCAN_SPARSE_MAX)
        pieces = pieces * 10 + (s->block[i++] - '0');
    if (i == 0 || i == BLOCK || s->block[i] != '\n' || pieces > TARSCAN_SPARSE_MAX)
        return refuse(s, err, "has a sparse map that is malformed or too long");
    s->state = IN_HEADER;
    return 0;
}

static int begin_extension(struct tarscan *s, char flag, struct err *err)
{
    uint64_t size = 0;
    uint64_t max = flag == 'x' || flag == 'g' ? TARSCAN_PAX_MAX : TARSCAN_NAME_MAX;
    if (!number(s->block, AT_SIZE, &size) || size > max)
        return refuse(s, err, "is an extension of an impossible size");
    if (++s->n_ext > TARSCAN_EXT_MAX)
        return refuse(s, err, "is one of too many extensions in a row");
    if (flag == 'x' && s->pax.present)
        return refuse(s, err, "is a second pax header for one member");
    if ((flag == 'L' && s->long_name) || (flag == 'K' && s->long_link))
        return refuse(s, err, "is a second long name for one member");
    s->n_ext_total++;
    s->extension = flag;
    s->want = size;
    s->padding = (BLOCK - size % BLOCK) % BLOCK;
    s->state = IN_EXTENSION;
    buf_clear(&s->body);
    return 0;
}

static int end_extension(struct tarscan *s, struct err *err)
{
    const char *text = buf_str(&s->body);
    size_t n = s->body.len;
    s->state = IN_HEADER;
    s->skip = s->padding;
    if (s->extension == 'x')
        return pax_parse(text, n, false, s->header_at, &s->pax, err);
    if (s->extension == 'g') {
        struct pax ignored = {0};
        int r = pax_parse(text, n, true, s->header_at, &ignored, err);
        pax_done(&ignored);
        return r;
    }
    size_t len = strnlen(text, n);
    if (len == 0 || !all_zero((const unsigned char *)text + len, n - len))
        return refuse(s, err, "is a long name that is malformed");
    *(s->extension == 'L' ? &s->long_name : &s->long_link) = str_dupn(text, len);
    return 0;
}

static bool has_extensions(const struct tarscan *s)
{
    return s->pax.present || s->long_name || s->long_link;
}

static int on_header(struct tarscan *s, struct err *err)
{
    if (all_zero(s->block, BLOCK)) {
        if (has_extensions(s))
            return refuse(s, err, "should follow an extension, but the archive ends");
        s->state = IN_ZERO;
        return 0;
    }
    if (!stream_is_tar_header(s->block))
        return refuse(s, err, "is damaged: its checksum is wrong");
    char flag = (char)s->block[AT_TYPE];
    switch (flag) {
    case 'x':
    case 'g':
    case 'L':
    case 'K':
        return begin_extension(s, flag, err);
    case 'V': { // a label for the whole archive
        uint64_t size = 0;
        if (!number(s->block, AT_SIZE, &size) || size > 0 || has_extensions(s))
            return refuse(s, err, "is a volume label that makes no sense");
        return 0;
    }
    default:
        return on_member(s, err);
    }
}

static int on_block(struct tarscan *s, struct err *err)
{
    switch (s->state) {
    case IN_HEADER:
        return on_header(s, err);
    case IN_OLD_SPARSE:
        return on_old_sparse(s, err);
    case IN_NEW_SPARSE:
        return on_new_sparse(s, err);
    case IN_ZERO:
        if (!all_zero(s->block, BLOCK))
            return err_set(err, EBADMSG,
                           "the archive goes on after a lone block of zeros at byte %" PRIu64,
                           s->header_at - BLOCK);
        s->state = AFTER_END;
        return 0;
    default:
        return 0;
    }
}

static size_t least(uint64_t a, size_t b)
{
    return a < b ? (size_t)a : b;
}

// Data of the member is passed over only when no map block stands before it.
static bool may_skip(const struct tarscan *s)
{
    return s->skip > 0 && s->state != IN_OLD_SPARSE && s->state != IN_NEW_SPARSE;
}

int tarscan_push(struct tarscan *s, const void *bytes, size_t n, struct err *err)
{
    const unsigned char *p = bytes;
    while (n > 0) {
        size_t k;
        int r = 0;
        if (may_skip(s)) {
            k = least(s->skip, n);
            s->skip -= k;
        } else if (s->state == AFTER_END) {
            k = n;
            if (!all_zero(p, n))
                return err_set(
                    err, EBADMSG,
                    "there is something behind the end of the archive, after byte %" PRIu64
                    ": two archives in one file, or damage",
                    s->at);
        } else if (s->state == IN_EXTENSION && s->want > 0) {
            k = least(s->want, n);
            buf_add(&s->body, p, k);
            s->want -= k;
        } else if (s->state == IN_EXTENSION) {
            k = 0;
            r = end_extension(s, err);
        } else {
            if (s->have == 0 && (s->state == IN_HEADER || s->state == IN_ZERO))
                s->header_at = s->at;
            k = least(BLOCK - s->have, n);
            memcpy(s->block + s->have, p, k);
            s->have += k;
            if (s->have == BLOCK) {
                s->have = 0;
                r = on_block(s, err);
            }
        }
        if (r < 0)
            return r;
        s->at += k;
        p += k;
        n -= k;
    }
    return 0;
}

int tarscan_finish(struct tarscan *s, struct err *err)
{
    if (s->state == AFTER_END)
        return 0;
    return err_set(err, EBADMSG,
                   "the tar archive ends too early, at byte %" PRIu64 ": it was cut off", s->at);
}
