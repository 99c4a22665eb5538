# shellcheck shell=bash
# SPDX-License-Identifier: MIT
#
# Completion for bash: the options of a program, and the values of those that
# it can list (--models for --model, --services for --service). The program
# itself is asked each time, by --help, so that this is never out of date.
# make install puts it where bash-completion looks; without that:
#
#     . scripts/completion.bash

# The --help that counts here: PROGRAM's, or that of a command on the line
# which the usage gives options of its own ("wirelab check [OPTION]...").
_wirelab_help() {
    local program=$1 help word
    help=$(WIRELAB_LANG=en "$program" --help 2>/dev/null)
    for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
        grep -qF -- " ${program##*/} $word [OPTION]" <<<"$help" || continue
        help=$(WIRELAB_LANG=en "$program" "$word" --help 2>/dev/null)
        break
    done
    printf '%s\n' "$help"
}

# The options of a --help on stdin, one a line: letter or "-", name, argument
# if any.
_wirelab_options() {
    sed -nE 's/^  -(.), --([^ ]+)( ([^ ]+))? .*/\1 \2 \4/p
        s/^      --([^ ]+)( ([^ ]+))? .*/- \1 \3/p'
}

# Sets COMPREPLY to the values of OPTION that begin with WORD, where PROGRAM
# has such OPTIONS. Fails if it is no option, or one without a value.
_wirelab_value() {
    local program=$1 options=$2 option=$3 word=$4 name argument list
    read -r name argument < <(awk -v option="$option" \
        'option == "-" $1 || option == "--" $2 { print $2, $3 }' \
        <<<"$options")
    case $argument in
    '') return 1 ;;
    FILE) mapfile -t COMPREPLY < <(compgen -f -- "$word") ;;
    *)
        grep -q "^- ${name}s " <<<"$options" || return 0
        list=$("$program" "--${name}s" 2>/dev/null | cut -d ' ' -f 1)
        mapfile -t COMPREPLY < <(compgen -W "$list" -- "$word")
        ;;
    esac
}

# The commands that a usage on stdin names: "wirelab layers | doctor".
_wirelab_commands() {
    sed -nE 's/^(Usage:|      ) [a-z_]+ (\[[A-Z ]+\]\.\.\. )?//p' |
        grep -oE '^[a-z]+( \| [a-z]+)*' | tr -d '|'
}

# Called by bash with the command, the word, and the word before it.
_wirelab() {
    local program=$1 word=$2 previous=$3 help options
    COMPREPLY=()
    if [ "$word" = '=' ]; then # --model=: bash makes three words of it
        word=''
    elif [ "$previous" = '=' ]; then
        previous=${COMP_WORDS[COMP_CWORD - 2]}
    fi
    help=$(_wirelab_help "$program")
    options=$(_wirelab_options <<<"$help")
    _wirelab_value "$program" "$options" "$previous" "$word" && return
    case $word in
    -*)
        options=$(awk '{ print "--" $2 }' <<<"$options")
        mapfile -t COMPREPLY < <(compgen -W "$options" -- "$word")
        ;;
    *) # a host, a file, or a command, as the usage has them
        if [[ $help == *" HOST PORT"* ]]; then
            mapfile -t COMPREPLY < <(compgen -A hostname -- "$word")
        elif grep -q '^Usage:.* FILE' <<<"$help" || { [ "$COMP_CWORD" -gt 1 ] &&
            grep -F -- " $previous " <<<"$help" | grep -q '^ .*FILE'; }; then
            mapfile -t COMPREPLY < <(compgen -f -- "$word")
        else
            options=$(_wirelab_commands <<<"$help")
            mapfile -t COMPREPLY < <(compgen -W "$options" -- "$word")
        fi
        ;;
    esac
}

complete -F _wirelab tcp_server tcp_client udp_server udp_client wirelab
