#!/bin/bash
# What the compiled objects may hold and call: no mutable state at file scope, nothing from inside
# the namespaces that allocates, prints, looks up names or exits, no I/O in the pure rooms.
#
# Asked of the objects, since a symbol cannot hide behind a macro or in a comment.
# timeout: 300
. "$(dirname "$0")/../helpers/lib.sh"

# Writable variables: .data and .bss, but not .data.rel.ro, which holds constant tables of pointers
# and is read-only once the program runs. The log level is the one exception.
mutable_state() { # OBJECT...
    objdump -t "$@" | awk '
        / file format / { sub(/:$/, "", $1); n = split($1, parts, "/"); object = parts[n] }
        / (\.data|\.bss|\.tdata|\.tbss|\.data\.rel|\.data\.rel\.local|\*COM\*)[ \t]/ && / O / {
            print object ": " $NF
        }' | grep -vx 'log\.o: current_level'
}

# The functions of the C library that objects ask for: lines "OBJECT: FUNCTION".
calls() { # OBJECT...
    nm -A -u "$@" | sed -E 's|^([^:]*/)?([^:/]*):.* ([^ ]*)$|\2: \3|
        s/@.*//; s/ __(.*)_chk$/ \1/; s/ __isoc99_/ /'
}

# banned REGEX OBJECT...: who asks for what the expression describes
banned() {
    local regex=$1
    shift
    calls "$@" | grep -E " ($regex)\$"
}

stdio='v?printf|v?fprintf|v?dprintf|puts|fputs|putc|putchar|fputc|perror|fwrite|stdout|stderr'
stdio+='|fopen|fdopen|freopen|popen|getline|fgets|fread'
leaving='exit|atexit|quick_exit|abort|err|errx|warn|warnx|verr|verrx|error|psignal'
# NSS, character sets and plugins read files of the image and load its code (CVE-2019-14271).
lookups='getpw[a-z_]*|getgr[a-z_]*|getspnam.*|initgroups|getaddrinfo|getnameinfo|gethostby.*'
lookups+='|getserv.*|getproto.*|dlopen|dlsym|iconv.*|setlocale|strerror|strerror_l|gettext|syslog'
lookups+='|openlog|system|wordexp|glob|getlogin|cuserid|tmpfile|tmpnam'
# The pure rooms: text and structs in, text and structs out.
inout='open.*|creat|read|write|pread.*|pwrite.*|readv|writev|close|fork|vfork|clone.*|exec.*|fexecve'
inout+='|posix_spawn.*|wait.*|kill|mount|umount.*|unshare|setns|socket.*|connect|bind|accept.*'
inout+='|syscall|ioctl|fcntl|mkdir.*|unlink.*|rmdir|rename.*|stat.*|lstat.*|fstat.*|access|faccessat'
inout+='|chmod|fchmod.*|chown|fchown.*|opendir|fdopendir|readdir.*|getpid|getuid|getgid|geteuid'
inout+='|time|clock_gettime|gettimeofday|getenv|setenv|putenv|environ|sleep|nanosleep|prctl'
# What only one side may do.
inside='mount|umount2?|pivot_root|sys_pivot_root|chroot|sethostname|setdomainname|unshare'
inside+='|setgroups|setres[ug]id|capset'
outside='posix_spawn.*|proc_spawn|proc_wait'

objects=$SRC/build/obj
ok "there are objects to look at" test -d "$objects/internal/base"
mapfile -t all < <(find "$objects/cmd" "$objects/internal" "$objects/net" -name '*.o' 2>/dev/null)
mapfile -t library < <(find "$objects/internal" "$objects/net" -name '*.o' 2>/dev/null)
mapfile -t pure < <(find "$objects/internal/job" -name '*.o')
mapfile -t guest < <(find "$objects/internal" "$objects/net" -name 'guest_*.o' 2>/dev/null)
mapfile -t host < <(find "$objects/internal" "$objects/net" -name 'host_*.o' 2>/dev/null)
mapfile -t but_main < <(printf '%s\n' "${all[@]}" | grep -v '/main\.o$')

is "$(mutable_state "${all[@]}")" "" "no mutable state at file scope but the log level"
is "$(banned "$leaving" "${but_main[@]}")" "" "exit() and its kin are called by main.c only"
is "$(banned "$stdio" "${library[@]}")" "" "library code does not print"
is "$(banned "$stdio|$leaving|$lookups" "${guest[@]}")" "" \
    "inside the namespaces nothing prints, exits, or reads what the image could supply"
is "$(banned "$stdio|$leaving|$lookups|$inout" "${pure[@]}")" "" "internal/job does no I/O"
is "$(banned "$inside" "${host[@]}")" "" "the outside does nothing that belongs inside"
is "$(banned "$outside" "${guest[@]}")" "" "the inside starts no helper of the machine"

# Each rule must be able to fail.
seed() { # NAME CODE: compiles it and sets $seeded
    printf '%s\n' "#include <stdio.h>" "#include <stdlib.h>" "#include <unistd.h>" \
        "#include <pwd.h>" "#include <sched.h>" "#include <sys/mount.h>" "#include <spawn.h>" \
        "#include <string.h>" "$2" >"$T/$1.c"
    ${CC:-cc} -std=gnu17 -D_GNU_SOURCE -O1 -fPIE -c -o "$T/$1.o" "$T/$1.c" || bail "seed $1"
    seeded=$T/$1.o
}
seed state_static 'static int n; int next(void); int next(void) { return ++n; }'
is "$(mutable_state "$seeded")" "state_static.o: n" "a static counter is found"
seed state_local 'int next(void); int next(void) { static int n = 3; return ++n; }'
like "$(mutable_state "$seeded")" "state_local.o: n" "so is one inside a function"
seed state_table 'extern const char *const names[]; const char *const names[] = {"a", "b"};'
is "$(mutable_state "$seeded")" "" "a constant table of strings is none"
seed guest_a 'void f(void); void f(void) { struct passwd *p = getpwnam("root"); if (!p) exit(1); }'
is "$(banned "$leaving|$lookups" "$seeded" | sort | paste -sd ' ')" \
    "guest_a.o: exit guest_a.o: getpwnam" "getpwnam() and exit() are found"
seed guest_b 'void f(int n); void f(int n) { printf("%d\n", n); (void)system("true"); }'
is "$(banned "$stdio|$lookups" "$seeded" | sort | paste -sd ' ')" \
    "guest_b.o: printf guest_b.o: system" "printf() and system() are found"
seed pure_a 'int f(void); int f(void) { return fork() + unshare(0); }'
is "$(banned "$inout" "$seeded" | sort | paste -sd ' ')" \
    "pure_a.o: fork pure_a.o: unshare" "fork() and unshare() are found"
seed host_a 'int f(void); int f(void) { return mount("", "/", "", 0, ""); }'
is "$(banned "$inside" "$seeded")" "host_a.o: mount" "mount() on the outside is found"
done_testing
