// SPDX-License-Identifier: Apache-2.0
#include "internal/base/buf.h"
#include "internal/base/err.h"
#include "internal/job/idmap.h"
#include "tests/unit/tap.h"

#define AUTO_IDMAP AUTO(idmap_done)

static void is_map(const struct idmap *map, const char *want, const char *what)
{
    AUTO_BUF struct buf b = {0};
    idmap_format(map, &b);
    is_str(buf_str(&b), want, "%s", what);
}

static void subid(const char *text, const char *name, uint32_t id, const char *want,
                  const char *what)
{
    struct id_range *ranges = NULL;
    size_t n = 0;
    AUTO_BUF struct buf b = {0};
    idmap_parse_subid(text, name, id, &ranges, &n);
    for (size_t i = 0; i < n; i++)
        buf_addf(&b, "%u+%u ", ranges[i].first, ranges[i].count);
    is_str(buf_str(&b), want, "subid: %s", what);
    free(ranges);
}

static void subids(void)
{
    subid("", "ann", 1000, "", "an empty file");
    subid("ann:100000:65536\n", "ann", 1000, "100000+65536 ", "by name");
    subid("1000:100000:65536\n", "ann", 1000, "100000+65536 ", "by number");
    subid("bob:1:2\nann:100000:10\n1000:200000:20\nann:5:5", "ann", 1000,
          "100000+10 200000+20 5+5 ", "several, in the file's order, the last without a newline");
    subid("1000:7:7\n", NULL, 1000, "7+7 ", "a user without a name");
    subid("annette:1:2\nan:3:4\n", "ann", 1000, "", "names that only begin alike");
    subid("ann:1\nann:1:2:3\nann::2\nann:x:2\nann:1:-2\nann:1:0\n:1:2\nann 1 2\n# ann:1:2\n", "ann",
          1000, "", "lines that are not of the form");
    subid("ann:4294967290:10\n", "ann", 1000, "", "a range beyond the last id");
    subid("ann:4294967290:5\n", "ann", 1000, "4294967290+5 ", "one up to it");
    subid("ann:99999999999:5\n", "ann", 1000, "", "a number that is too large");
    subid("01000:1:2\n", "ann", 1000, "1+2 ", "a number with a zero in front, as strtoul reads it");
}

static void ranges(void)
{
    AUTO_IDMAP struct idmap m = {0};
    struct id_range r[] = {{100000, 65536}, {300000, 10}};
    idmap_from_ranges(&m, 1000, r, 2);
    is_map(&m, "0 1000 1\n1 100000 65536\n65537 300000 10\n", "own id, then the ranges");
    idmap_from_ranges(&m, 1000, NULL, 0);
    is_map(&m, "0 1000 1\n", "no range");
    struct id_range twice[] = {{100000, 10}, {100000, 10}, {100005, 10}};
    idmap_from_ranges(&m, 1000, twice, 3);
    is_map(&m, "0 1000 1\n1 100000 10\n11 100010 5\n", "what is granted twice is mapped once");
    struct id_range own[] = {{990, 20}};
    idmap_from_ranges(&m, 1000, own, 1);
    is_map(&m, "0 1000 1\n1 990 10\n11 1001 9\n", "a range around the own id");
    struct id_range huge[] = {{0, 1000}, {1001, UINT32_MAX - 1001}};
    idmap_from_ranges(&m, 1000, huge, 2);
    struct err err = {0};
    is_int(idmap_check(&m, "x", &err), 0, "every id there is");
    uint32_t id = 0;
    ok(idmap_to_inside(&m, UINT32_MAX - 1, &id) && id == UINT32_MAX - 1, "to the last");
}

static void flags(void)
{
    static const struct {
        const char *value;
        int result;
    } bad[] = {
        {"", -EINVAL},
        {"0", -EINVAL},
        {"0:", -EINVAL},
        {":0", -EINVAL},
        {"0:1:", -EINVAL},
        {"0:1:0", -EINVAL},
        {"0:1:2:3", -EINVAL},
        {"-1:1", -EINVAL},
        {"0:1:-1", -EINVAL},
        {"0:@", -EINVAL},
        {"@0:1", -EINVAL},
        {"0:@@1", -EINVAL},
        {"+0:1", -EINVAL},
        {"4294967295:1", -ERANGE},
        {"0:4294967295:1", -ERANGE},
        {"0:1:4294967295", -ERANGE},
        {"0:99999999999", -ERANGE},
    };
    AUTO_IDMAP struct idmap m = {0};
    uint64_t absolute[(IDMAP_MAX_EXTENTS + 63) / 64] = {0};
    struct err err = {0};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        memset(&err, 0, sizeof(err));
        int r = idmap_parse_flag(&m, absolute, bad[i].value, &err);
        ok(r == bad[i].result && err.num == -r && *err.text && m.n == 0, "\"%s\" is refused",
           bad[i].value);
    }
    is_int(idmap_parse_flag(&m, absolute, "0:1:100", &err), 0, "a map");
    is_int(idmap_parse_flag(&m, absolute, "200:@5000", &err), 0, "an id of the machine");
    is_map(&m, "0 1 100\n200 5000 1\n", "both");
    ok(absolute[0] == 2, "the second is absolute");
    for (int i = 2; i < IDMAP_MAX_EXTENTS; i++) {
        AUTO_FREE char *v = str_fmt("%d:@%d", 10000 + i, 10000 + i);
        if (idmap_parse_flag(&m, absolute, v, &err) < 0)
            break;
    }
    is_int(m.n, IDMAP_MAX_EXTENTS, "as many as the kernel takes");
    ok(absolute[5] >> 19 & 1, "the last bit");
    is_int(idmap_parse_flag(&m, absolute, "1:1", &err), -E2BIG, "and no more");
}

static void resolve(void)
{
    AUTO_IDMAP struct idmap base = {0};
    AUTO_IDMAP struct idmap want = {0};
    AUTO_IDMAP struct idmap got = {0};
    struct err err = {0};
    uint64_t absolute[6] = {0};
    idmap_add(&base, 0, 1000, 1);
    idmap_add(&base, 1, 100000, 10);
    idmap_add(&base, 11, 200000, 10);
    idmap_add(&want, 0, 1, 20);
    idmap_add(&want, 500, 0, 1);
    is_int(idmap_resolve(&got, &want, absolute, &base, &err), 0, "through the user's ids");
    is_map(&got, "0 100000 10\n10 200000 10\n500 1000 1\n", "split where the ranges are");
    idmap_add(&want, 600, 21, 1);
    is_int(idmap_resolve(&got, &want, absolute, &base, &err), -ERANGE,
           "one that is not the user's");
    ok(strstr(err.text, "id 21,") && *err.hint, "is named");
    is_map(&got, "0 100000 10\n10 200000 10\n500 1000 1\n", "the result is untouched then");
    AUTO_IDMAP struct idmap abs = {0};
    idmap_add(&abs, 0, 200003, 3);
    idmap_add(&abs, 9, 1000, 1);
    absolute[0] = 3;
    is_int(idmap_resolve(&got, &abs, absolute, &base, &err), 0, "by ids of the machine");
    is_map(&got, "0 200003 3\n9 1000 1\n", "as they are");
    abs.ext[0].count = 8;
    is_int(idmap_resolve(&got, &abs, absolute, &base, &err), -ERANGE, "beyond the user's range");
    ok(strstr(err.text, "@200010"), "names the id");
}

static int check_one(uint32_t inside, uint32_t outside, uint32_t count, struct idmap *m)
{
    struct err err = {0};
    idmap_add(m, inside, outside, count);
    return idmap_check(m, "--uidmap", &err);
}

static void checks(void)
{
    AUTO_IDMAP struct idmap m = {0};
    struct err err = {0};
    is_int(idmap_check(&m, "--uidmap", &err), -EINVAL, "nothing is mapped");
    is_int(check_one(0, 1000, 1, &m), 0, "one id");
    is_int(check_one(1, 100000, 10, &m), 0, "and ten");
    is_int(check_one(10, 5, 1, &m), -EINVAL, "an id of the job twice");
    m.n--;
    is_int(check_one(50, 100009, 1, &m), -EINVAL, "an id of the machine twice");
    m.n--;
    is_int(check_one(11, 100010, 1, &m), 0, "neighbours");
    is_int(check_one(UINT32_MAX - 1, 7, 1, &m), 0, "the last id");
    is_int(check_one(UINT32_MAX, 9, 1, &m), -ERANGE, "which is not 2^32 - 1");
    m.n--;
    is_int(check_one(100, UINT32_MAX - 5, 6, &m), -ERANGE, "nor outside");
    m.n--;
    idmap_done(&m);
    for (uint32_t i = 0; i < IDMAP_MAX_EXTENTS; i++)
        idmap_add(&m, i * 2, i * 2, 1);
    is_int(idmap_check(&m, "x", &err), 0, "as many extents as the kernel takes");
    is_int(check_one(5000, 5000, 1, &m), -E2BIG, "one more");
}

static void proc_texts(void)
{
    AUTO_IDMAP struct idmap m = {0};
    is_int(idmap_parse_proc(&m,
                            "         0       1000          1\n         1     100000      65536\n"),
           0, "as the kernel prints it");
    is_map(&m, "0 1000 1\n1 100000 65536\n", "is read");
    is_int(idmap_parse_proc(&m, "0 0 4294967295\n"), 0, "the initial namespace");
    is_map(&m, "0 0 4294967295\n", "maps all");
    static const char *const bad[] = {"x",         "0 0",      "0 0 0\n",
                                      "0 0 1 1\n", "0 -1 1\n", "0 0 1\n0 0\n"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        is_int(idmap_parse_proc(&m, bad[i]), -EINVAL, "\"%.3s...\" is refused", bad[i]);
    is_map(&m, "0 0 4294967295\n", "and changes nothing");
    is_int(idmap_parse_proc(&m, ""), 0, "a map that is not written yet");
    is_int(m.n, 0, "is empty");
}

static void lookups(void)
{
    AUTO_IDMAP struct idmap a = {0};
    AUTO_IDMAP struct idmap b = {0};
    AUTO_IDMAP struct idmap c = {0};
    uint32_t id = 7;
    idmap_add(&a, 0, 1000, 1);
    idmap_add(&a, 1, 100000, 20);
    idmap_add(&b, 11, 100010, 10);
    idmap_add(&b, 0, 1000, 1);
    idmap_add(&b, 1, 100000, 10);
    ok(idmap_equal(&a, &b), "the same map, cut and ordered otherwise");
    b.ext[0].outside++;
    ok(!idmap_equal(&a, &b), "another map");
    ok(!idmap_equal(&a, &c) && idmap_equal(&c, &c), "and an empty one");
    ok(idmap_to_outside(&a, 20, &id) && id == 100019, "to outside");
    ok(!idmap_to_outside(&a, 21, &id) && id == 100019, "an id that is not mapped");
    ok(idmap_to_inside(&a, 1000, &id) && id == 0, "to inside");
    ok(!idmap_to_inside(&a, 0, &id), "an id of the machine that is not mapped");
    idmap_copy(&c, &a);
    ok(idmap_equal(&a, &c) && a.ext != c.ext, "a copy");
    idmap_copy(&c, &c);
    ok(idmap_equal(&a, &c), "of itself");
    idmap_add(&c, 5, 5, 0);
    is_int(c.n, 2, "an extent of nothing is none");
}

static void keys(void)
{
    AUTO_IDMAPS struct idmaps a = {.kind = IDMAP_SUBIDS};
    AUTO_IDMAPS struct idmaps b = {.kind = IDMAP_DIRECT};
    char ka[17];
    char kb[17];
    idmap_add(&a.uid, 0, 1000, 1);
    idmap_add(&a.uid, 1, 100000, 20);
    idmap_add(&a.gid, 0, 1000, 1);
    idmap_copy(&b.gid, &a.gid);
    idmap_add(&b.uid, 1, 100000, 10);
    idmap_add(&b.uid, 0, 1000, 1);
    idmap_add(&b.uid, 11, 100010, 10);
    idmaps_key(&a, ka);
    idmaps_key(&b, kb);
    is_str(ka, kb, "one key for the same maps");
    is_int(strspn(ka, "0123456789abcdef"), 16, "of 16 hex digits");
    struct idmap swap = b.uid;
    b.uid = b.gid;
    b.gid = swap;
    idmaps_key(&b, kb);
    ok(strcmp(ka, kb) != 0, "uids and gids are told apart");
    a.kind = IDMAP_SINGLE;
    idmaps_key(&a, ka);
    is_str(ka, "single", "a single id");
}

int main(void)
{
    subids();
    ranges();
    flags();
    resolve();
    checks();
    proc_texts();
    lookups();
    keys();
    return done_testing();
}
