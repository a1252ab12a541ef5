#!/bin/bash
# Every option of every command stands in its help, its manual page and the completions, and nowhere
# is one that does not exist.
. "$(dirname "$0")/../helpers/lib.sh"

commands_of() { # WORD...: what "bryo help WORD..." lists
    "$BRYO" help --list "$@"
}

options_in() { # long options in a text, one a line
    grep -oE '(^|[^[:alnum:]_-])--[a-z][a-z-]+' | sed 's/.*--/--/' | sort -u
}

in_help() { # the option table: lines that begin with the option
    "$BRYO" help "$@" | grep -E '^  +(-[a-zA-Z], )? *--[a-z]' |
        sed -E 's/^ +(-[a-zA-Z], )?//' | cut -d' ' -f1 | options_in
}

in_man() {
    "$BRYO" help --man "$@" | sed -n '/^\.SH OPTIONS/,/^\.SH [^O]/p' | grep -A 1 '^\.TP' |
        grep '^\\fB' | sed 's/\\-/-/g; s/\\f[A-Z]/ /g' | options_in
}

in_bash() { # what the completion really offers after "bryo WORD... --"
    "$BRYO" completion bash >"$T/completion.bash"
    bash -c '. "$1"; shift
        compopt() { :; }
        COMP_WORDS=(bryo "$@" --); COMP_CWORD=$(($# + 1)); COMP_LINE="${COMP_WORDS[*]}"
        COMP_POINT=${#COMP_LINE}; COMP_TYPE=9; COMP_KEY=9
        $(complete -p bryo | sed -n "s/.*-F \([^ ]*\).*/\1/p") bryo -- "${COMP_WORDS[COMP_CWORD - 1]}"
        printf "%s\n" "${COMPREPLY[@]}"' _ "$T/completion.bash" "$@" | sed 's/=$//; s/ *$//' | options_in
}

# The tables of the source, all verbs together.
in_source() {
    cat "$1"/cmd/bryo/*.c | tr -d '\n' |
        grep -oE '\{"[a-z][a-z-]+", *(0|'"'.'"'), *(NULL|"[^"]*"), *"[^"]*", *"' |
        sed -E 's/^\{"([^"]*)".*/--\1/' | sort -u
}

compare() { # WORD...: this command, then those below it
    local help word path="bryo${*:+ $*}"
    help=$(in_help "$@")
    in_help "$@" >>"$T/all"
    is "$(in_man "$@" | grep -vx -e --help)" "$(grep -vx -e --help <<<"$help")" \
        "the manual page of \"$path\" has the options of its help"
    is "$(in_bash "$@" | grep -vx -e --help)" "$(grep -vx -e --help <<<"$help")" \
        "so has its completion"
    for word in $(commands_of "$@"); do
        compare "$@" "$word"
    done
}

: >"$T/all"
compare
all=$(sort -u "$T/all" | grep -vx -e --help)
isnt "$all" "" "there are options"
is "$all" "$(in_source "$SRC" | grep -vx -e --help)" "the help knows every option of the tables"
for shell in zsh fish; do
    said=$("$BRYO" completion $shell)
    is "$(while read -r option; do
        grep -qE -e "(--|-l ['\"]?)${option#--}\b" <<<"$said" || echo "$option"
    done <<<"$all")" "" "the completion for $shell misses none"
done
ok "the completion for bash is valid bash" bash -n "$T/completion.bash"

# The comparison must be able to fail: the same program with one option misspelt in its manual page
# and its completion.
cat >"$T/forgetful" <<SCRIPT
#!/bin/sh
case "\$*" in
"help --man run" | "completion bash") "$BRYO" "\$@" | sed 's/umask/umusk/g' ;;
*) exec "$BRYO" "\$@" ;;
esac
SCRIPT
chmod +x "$T/forgetful"
BRYO=$T/forgetful
isnt "$(in_man run)" "$(in_help run)" "an option missing in the manual page is found"
isnt "$(in_bash run)" "$(in_help run)" "an option missing in the completion is found"
mkdir -p "$T/seed/cmd/bryo"
printf 'static const struct cli_option o[] = {{"secret", 0, NULL, "Group", "help", 0, NULL, f}};\n' \
    >"$T/seed/cmd/bryo/verb.c"
is "$(in_source "$T/seed")" "--secret" "an option of a table is found in the source"
done_testing
