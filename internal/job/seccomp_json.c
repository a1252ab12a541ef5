// SPDX-License-Identifier: Apache-2.0
// OCI and docker profiles. The semantics are those of the runtimes that use libseccomp: conditions
// of one rule hold together, two on the same argument stand for two rules, a rule without
// conditions makes the call's others void.
#include "internal/base/cleanup.h"
#include "internal/base/err.h"
#include "internal/job/caps.h"
#include "internal/job/seccomp.h"
#include "internal/job/seccomp_words.h"

#include <errno.h>
#include <json-c/json.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define DEPTH_MAX 16

struct reader {
    const struct seccomp_given *given;
    struct seccomp_profile *profile;
    struct strv *notes;
    uint32_t default_errno;
    struct err *err;
};

static int wrong(struct reader *r, const char *where, const char *what)
{
    return err_set(r->err, EINVAL, "%s: %s", where, what);
}

static struct json_object *member(struct json_object *o, const char *name)
{
    struct json_object *ret = NULL;
    return json_object_object_get_ex(o, name, &ret) ? ret : NULL;
}

static const char *string_of(struct json_object *o)
{
    return json_object_is_type(o, json_type_string) ? json_object_get_string(o) : NULL;
}

// A number >= 0; absent (or null) leaves *ret as it is.
static int number(struct reader *r, struct json_object *o, const char *name, uint64_t *ret)
{
    struct json_object *v = member(o, name);
    if (!v)
        return 0;
    if (!json_object_is_type(v, json_type_int) ||
        (json_object_get_int64(v) < 0 && json_object_get_uint64(v) <= INT64_MAX))
        return wrong(r, name, "expected a number from 0 on");
    *ret = json_object_get_uint64(v);
    return 0;
}

// A list of strings; absent or null is an empty one.
static int list(struct reader *r, struct json_object *o, const char *name, size_t *ret_n,
                struct json_object **ret)
{
    struct json_object *v = member(o, name);
    *ret = v;
    *ret_n = 0;
    if (!v)
        return 0;
    if (!json_object_is_type(v, json_type_array))
        return wrong(r, name, "expected a list");
    *ret_n = json_object_array_length(v);
    return 0;
}

static int string_at(struct reader *r, struct json_object *v, const char *name, size_t i,
                     const char **ret)
{
    *ret = string_of(json_object_array_get_idx(v, i));
    return *ret ? 0 : wrong(r, name, "expected a list of strings");
}

// A member that nothing here reads would be a restriction that is not kept.
static int only(struct reader *r, struct json_object *o, const char *where,
                const char *const *known)
{
    json_object_object_foreach(o, name, value)
    {
        (void)value;
        size_t i = 0;
        while (known[i] && strcmp(known[i], name) != 0)
            i++;
        if (!known[i])
            return err_set(r->err, EINVAL, "%s: unknown member \"%s\"", where, name);
    }
    return 0;
}

// --- words ---------------------------------------------------------------------------------------

// podman's profiles name the error too, and then the name counts.
static int errno_of(struct reader *r, struct json_object *o, const char *name, uint64_t *ret)
{
    struct json_object *v = member(o, name);
    const char *word = string_of(v);
    if (!v || (word && !*word))
        return 0;
    if (!word)
        return wrong(r, name, "expected a string");
    return seccomp_errno(word, ret) < 0 ? wrong(r, word, "no error of errno(3), such as EPERM") : 0;
}

static int action(struct reader *r, const char *word, uint64_t num, uint32_t *ret)
{
    static const struct {
        const char *name;
        uint32_t action;
    } actions[] = {
        {"SCMP_ACT_ALLOW", SECCOMP_RET_ALLOW},
        {"SCMP_ACT_LOG", SECCOMP_RET_LOG},
        {"SCMP_ACT_TRAP", SECCOMP_RET_TRAP},
        {"SCMP_ACT_KILL", SECCOMP_RET_KILL_THREAD},
        {"SCMP_ACT_KILL_THREAD", SECCOMP_RET_KILL_THREAD},
        {"SCMP_ACT_KILL_PROCESS", SECCOMP_RET_KILL_PROCESS},
        {"SCMP_ACT_ERRNO", SECCOMP_RET_ERRNO},
        {"SCMP_ACT_TRACE", SECCOMP_RET_TRACE},
    };
    if (word && strcmp(word, "SCMP_ACT_NOTIFY") == 0)
        return wrong(r, word, "there is no agent that bryo could ask (listenerPath)");
    for (size_t i = 0; word && i < sizeof(actions) / sizeof(actions[0]); i++) {
        if (strcmp(actions[i].name, word) != 0)
            continue;
        bool has_data =
            actions[i].action == SECCOMP_RET_ERRNO || actions[i].action == SECCOMP_RET_TRACE;
        if (has_data && num > SECCOMP_ERRNO_MAX)
            return wrong(r, "errnoRet", "expected at most 4095");
        *ret = actions[i].action | (has_data ? (uint32_t)num : 0);
        return 0;
    }
    return wrong(r, word ? word : "action", "no action of seccomp, such as SCMP_ACT_ERRNO");
}

static int op_of(struct reader *r, const char *word, enum seccomp_op *ret)
{
    return word && seccomp_op(word, ret) == 0
               ? 0
               : wrong(r, word ? word : "op", "no operator of seccomp, such as SCMP_CMP_EQ");
}

static int abi_of(struct reader *r, const char *word, unsigned *ret)
{
    return seccomp_abi(word, r->given->native, ret) == 0
               ? 0
               : wrong(r, word, "no architecture of seccomp, such as SCMP_ARCH_X86_64");
}

static int add_flag(struct reader *r, const char *word)
{
    static const struct {
        const char *name;
        uint32_t flag;
    } flags[] = {
        {"SECCOMP_FILTER_FLAG_TSYNC", 0}, // one thread makes the job: there is nothing to sync
        {"SECCOMP_FILTER_FLAG_LOG", SECCOMP_FILTER_FLAG_LOG},
        {"SECCOMP_FILTER_FLAG_SPEC_ALLOW", SECCOMP_FILTER_FLAG_SPEC_ALLOW},
        {"SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV", 0}, // means something with NOTIFY only
    };
    for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
        if (strcmp(flags[i].name, word) == 0) {
            r->profile->flags |= flags[i].flag;
            return 0;
        }
    }
    return wrong(r, word, "no flag of seccomp, such as SECCOMP_FILTER_FLAG_LOG");
}

// --- conditions under which a rule is one (moby's) -----------------------------------------------

static bool is_native(const struct reader *r, const char *go_arch)
{
    return strcmp(go_arch, r->given->native == SECCOMP_X86_64 ? "amd64" : "arm64") == 0;
}

static int min_kernel(struct reader *r, const char *word, bool *ret)
{
    char *end;
    unsigned long major = strtoul(word, &end, 10);
    unsigned long minor = *end == '.' ? strtoul(end + 1, &end, 10) : 0;
    if (*end || end == word || major > UINT_MAX || minor > UINT_MAX)
        return wrong(r, "minKernel", "expected a version such as 4.8");
    *ret = r->given->kernel[0] > major ||
           (r->given->kernel[0] == major && r->given->kernel[1] >= minor);
    return 0;
}

// How the members of "includes" or "excludes" hold here: all is for the one, any for the other.
struct holds {
    bool all_caps;
    bool any_cap;
    bool arch; // true also where none is named
    bool named_arch;
    bool kernel;
    bool named_kernel;
};

static int look(struct reader *r, struct json_object *o, const char *where, struct holds *h)
{
    static const char *const known[] = {"caps", "arches", "minKernel", NULL};
    struct json_object *caps = NULL;
    struct json_object *arches = NULL;
    size_t n_caps = 0;
    size_t n_arches = 0;
    *h = (struct holds){.all_caps = true, .arch = true, .kernel = true};
    int ret = only(r, o, where, known);
    if (ret == 0)
        ret = list(r, o, "caps", &n_caps, &caps);
    if (ret == 0)
        ret = list(r, o, "arches", &n_arches, &arches);
    for (size_t i = 0; ret == 0 && i < n_caps; i++) {
        const char *word;
        uint64_t cap = 0;
        ret = string_at(r, caps, "caps", i, &word);
        // A capability newer than this program is one that the job does not have.
        bool has = ret == 0 && caps_parse(word, &cap, NULL) == 0 && (r->given->caps & cap) == cap;
        h->all_caps = h->all_caps && has;
        h->any_cap = h->any_cap || has;
    }
    for (size_t i = 0; ret == 0 && i < n_arches; i++) {
        const char *word;
        ret = string_at(r, arches, "arches", i, &word);
        h->arch = ret == 0 && ((h->named_arch && h->arch) || is_native(r, word));
        h->named_arch = true;
    }
    struct json_object *kernel = ret == 0 ? member(o, "minKernel") : NULL;
    h->named_kernel = kernel != NULL;
    if (kernel && !string_of(kernel))
        return wrong(r, "minKernel", "expected a string");
    return kernel ? min_kernel(r, string_of(kernel), &h->kernel) : ret;
}

static int applies(struct reader *r, struct json_object *call, bool *ret)
{
    struct json_object *in = member(call, "includes");
    struct json_object *ex = member(call, "excludes");
    struct holds h;
    *ret = true;
    if (in) {
        if (!json_object_is_type(in, json_type_object))
            return wrong(r, "includes", "expected an object");
        if (look(r, in, "includes", &h) < 0)
            return -EINVAL;
        *ret = h.all_caps && h.arch && h.kernel;
    }
    if (ex) {
        if (!json_object_is_type(ex, json_type_object))
            return wrong(r, "excludes", "expected an object");
        if (look(r, ex, "excludes", &h) < 0)
            return -EINVAL;
        if (h.any_cap || (h.named_arch && h.arch) || (h.named_kernel && h.kernel))
            *ret = false;
    }
    return 0;
}

// --- rules ---------------------------------------------------------------------------------------

static int condition(struct reader *r, struct json_object *o, struct seccomp_cond *ret)
{
    static const char *const known[] = {"index", "value", "valueTwo", "op", NULL};
    uint64_t index = UINT64_MAX;
    uint64_t value = 0;
    uint64_t two = 0;
    if (!json_object_is_type(o, json_type_object))
        return wrong(r, "args", "expected a list of objects");
    int n = only(r, o, "args", known);
    if (n == 0)
        n = number(r, o, "index", &index);
    if (n == 0)
        n = number(r, o, "value", &value);
    if (n == 0)
        n = number(r, o, "valueTwo", &two);
    *ret = (struct seccomp_cond){.index = (uint8_t)(index < SECCOMP_CONDS_MAX ? index : 0),
                                 .value = value};
    if (n == 0)
        n = op_of(r, string_of(member(o, "op")), &ret->op);
    if (n == 0 && index >= SECCOMP_CONDS_MAX)
        n = wrong(r, "index", "expected 0 to 5");
    if (ret->op == SECCOMP_OP_MASKED_EQ) {
        ret->mask = value;
        ret->value = two & value;
    }
    return n;
}

struct call {
    uint32_t action;
    struct seccomp_cond conds[SECCOMP_CONDS_MAX];
    size_t n_conds;
    bool apart; // an argument is named twice: each condition is a rule
};

static int conditions(struct reader *r, struct json_object *o, struct call *c)
{
    struct json_object *args;
    size_t n;
    unsigned seen = 0;
    int ret = list(r, o, "args", &n, &args);
    if (ret == 0 && n > SECCOMP_CONDS_MAX)
        return wrong(r, "args", "expected at most 6");
    for (size_t i = 0; ret == 0 && i < n; i++) {
        ret = condition(r, json_object_array_get_idx(args, i), &c->conds[i]);
        if (ret < 0)
            return ret;
        c->apart = c->apart || (seen & 1U << c->conds[i].index);
        seen |= 1U << c->conds[i].index;
    }
    c->n_conds = n;
    return ret;
}

static void add_call(struct reader *r, const char *name, const struct call *c)
{
    if (!seccomp_is_call(name)) {
        strv_addf(r->notes, "\"%s\" is no system call that this bryo knows", name);
        return;
    }
    size_t rules = c->apart ? c->n_conds : 1;
    for (size_t k = 0; k < rules; k++) {
        struct seccomp_rule *rule = seccomp_add(r->profile, name, c->action);
        for (size_t i = 0; i < c->n_conds; i++)
            if (!c->apart || i == k)
                seccomp_add_cond(rule, c->conds[i].index, c->conds[i].op, c->conds[i].value,
                                 c->conds[i].mask);
    }
}

static int read_call(struct reader *r, struct json_object *o)
{
    static const char *const known[] = {"name", "names",   "action",   "errno",    "errnoRet",
                                        "args", "comment", "includes", "excludes", NULL};
    struct json_object *names;
    struct call c = {0};
    size_t n = 0;
    bool applied = true;
    uint64_t num = r->default_errno;
    if (!json_object_is_type(o, json_type_object))
        return wrong(r, "syscalls", "expected a list of objects");
    int ret = only(r, o, "syscalls", known);
    const char *one = string_of(member(o, "name")); // docker's before 1.13
    if (ret == 0)
        ret = list(r, o, "names", &n, &names);
    if (ret == 0 && (n == 0) == !(one && *one))
        ret = wrong(r, "syscalls", "expected either \"names\" or \"name\"");
    if (ret == 0)
        ret = number(r, o, "errnoRet", &num);
    if (ret == 0)
        ret = errno_of(r, o, "errno", &num);
    if (ret == 0)
        ret = action(r, string_of(member(o, "action")), num, &c.action);
    if (ret == 0)
        ret = conditions(r, o, &c);
    if (ret == 0)
        ret = applies(r, o, &applied);
    if (ret < 0 || !applied)
        return ret;
    if (n == 0)
        add_call(r, one, &c);
    for (size_t i = 0; i < n; i++) {
        const char *name;
        if (string_at(r, names, "names", i, &name) < 0)
            return -EINVAL;
        add_call(r, name, &c);
    }
    return 0;
}

// --- the whole -----------------------------------------------------------------------------------

static int read_arch_map(struct reader *r, struct json_object *root)
{
    struct json_object *map;
    size_t n;
    int ret = list(r, root, "archMap", &n, &map);
    for (size_t i = 0; ret == 0 && i < n; i++) {
        struct json_object *row = json_object_array_get_idx(map, i);
        struct json_object *subs;
        size_t n_subs;
        unsigned abi = 0;
        const char *word = json_object_is_type(row, json_type_object)
                               ? string_of(member(row, "architecture"))
                               : NULL;
        ret = word ? abi_of(r, word, &abi) : wrong(r, "archMap", "expected architectures");
        if (ret < 0 || abi != r->given->native)
            continue;
        r->profile->abis |= abi;
        ret = list(r, row, "subArchitectures", &n_subs, &subs);
        for (size_t k = 0; ret == 0 && k < n_subs; k++) {
            ret = string_at(r, subs, "subArchitectures", k, &word);
            if (ret == 0)
                ret = abi_of(r, word, &abi);
            if (ret == 0)
                r->profile->abis |= abi;
        }
    }
    return ret;
}

static int read_words(struct reader *r, struct json_object *root)
{
    struct json_object *v;
    size_t n;
    const char *word;
    r->profile->abis = r->given->native;
    int ret = list(r, root, "architectures", &n, &v);
    for (size_t i = 0; ret == 0 && i < n; i++) {
        unsigned abi = 0;
        ret = string_at(r, v, "architectures", i, &word);
        if (ret == 0)
            ret = abi_of(r, word, &abi);
        if (ret == 0)
            r->profile->abis |= abi;
    }
    if (ret == 0)
        ret = read_arch_map(r, root);
    if (ret == 0)
        ret = list(r, root, "flags", &n, &v);
    if (ret == 0 && !v) // as runc; an empty list is none
        r->profile->flags = SECCOMP_FLAGS;
    for (size_t i = 0; ret == 0 && i < n; i++) {
        ret = string_at(r, v, "flags", i, &word);
        if (ret == 0)
            ret = add_flag(r, word);
    }
    return ret;
}

static int read_root(struct reader *r, struct json_object *root)
{
    static const char *const known[] = {
        "defaultAction", "defaultErrno", "defaultErrnoRet",  "architectures", "archMap",
        "flags",         "listenerPath", "listenerMetadata", "syscalls",      NULL};
    struct seccomp_profile *p = r->profile;
    struct json_object *calls;
    size_t n;
    uint64_t num = EPERM;
    if (!json_object_is_type(root, json_type_object))
        return wrong(r, "profile", "expected an object");
    int ret = only(r, root, "profile", known);
    if (ret == 0)
        ret = number(r, root, "defaultErrnoRet", &num);
    if (ret == 0)
        ret = errno_of(r, root, "defaultErrno", &num);
    if (ret == 0)
        ret = action(r, string_of(member(root, "defaultAction")), num, &p->otherwise);
    // OCI: without errnoRet a rule gives EPERM, whatever the profile gives.
    r->default_errno = EPERM;
    p->whole_call_wins = true;
    // As runc: what the profile's author could not know is absent, not refused.
    p->newer_is_enosys = (p->otherwise & SECCOMP_RET_ACTION_FULL) == SECCOMP_RET_ERRNO;
    if (ret == 0)
        ret = read_words(r, root);
    if (ret == 0)
        ret = list(r, root, "syscalls", &n, &calls);
    for (size_t i = 0; ret == 0 && i < n; i++)
        ret = read_call(r, json_object_array_get_idx(calls, i));
    return ret;
}

int seccomp_from_json(const char *text, size_t len, const struct seccomp_given *given,
                      struct seccomp_profile *ret, struct strv *notes, struct err *err)
{
    *ret = (struct seccomp_profile){0};
    struct reader r = {.given = given, .profile = ret, .notes = notes, .err = err};
    struct json_tokener *tok = len > INT_MAX ? NULL : json_tokener_new_ex(DEPTH_MAX);
    if (!tok)
        return err_set(err, ENOMEM, "no memory for the profile");
    json_tokener_set_flags(tok, JSON_TOKENER_STRICT);
    struct json_object *root = json_tokener_parse_ex(tok, text, (int)len);
    enum json_tokener_error e = json_tokener_get_error(tok);
    size_t at = json_tokener_get_parse_end(tok);
    int result = e == json_tokener_success
                     ? read_root(&r, root)
                     : err_set(err, EINVAL, "not JSON: byte %zu: %s", at,
                               e == json_tokener_continue ? "the text ends too early"
                                                          : json_tokener_error_desc(e));
    json_object_put(root);
    json_tokener_free(tok);
    return result;
}
