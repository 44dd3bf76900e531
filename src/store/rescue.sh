#!/bin/sh
# rescue.sh: puts a backup of this store back without the program that made it.
#
# Plain POSIX sh with tar, gzip, the usual file tools (cp, mv, ls, sed, ...) and one of
# sha256sum, shasum and openssl. Every backup writes this file again; do not edit it here.
#
# restore and file: (1) verify what is needed, (2) unpack it into a private directory
# beside the tree, (3) copy what will be replaced to recovery/aside/<time>/ in the store,
# (4) replace it file by file, by rename, settings last. undo does the same backwards.
# Nothing is deleted, what is not in the backup is not touched, and links of the user are
# written through and stay.
#
# manifest.json is canonical JSON in one line. A quote within a string is always \" there,
# so "sha256":" can be nothing but a member. Nothing read from it is ever evaluated.

set -u
LC_ALL=C
export LC_ALL
unset CDPATH TAR_OPTIONS GZIP
user_umask=$(umask)
umask 077

knows=1 # the format_version of manifests

store='' project='' force=no
work=''     # a private directory, gone at the end
aside=''    # recovery/aside/<time>: old/ is what was replaced, added/ what was not there
kept=''     # the same of the run that undo takes back
stage=''    # the temporary name in the tree, while there is one
changing=no # yes from the first change of the tree on
way_back='' # the lines that take it back

# --- words for people

quote() { # WORD: as a shell reads it
  printf "'"
  printf %s "$1" | sed "s/'/'\\\\''/g"
  printf "'"
}

show() { printf %s "$1" | tr '[:cntrl:]' '?'; } # a name, which may hold anything

again() { printf 'sh %s' "$(quote "$self")"; }

die() { # CODE WHAT [WHAT-TO-DO]
  printf 'rescue.sh: %s\n' "$(show "$2")" >&2
  if [ "$changing" = yes ]; then
    printf 'It stopped half way. Take back what it did with:\n%s' "$way_back" >&2
  else
    echo "Nothing was changed." >&2
  fi
  [ $# -lt 3 ] || printf '%s\n' "$3" >&2
  exit "$1"
}

usage() { die 2 "$1" "How it is used: $(again) help"; }
choose_another() { printf 'Choose another backup: %s list' "$(again)"; }
no_room() { printf 'Is there room beside %s, and may you write there?' "$(show "$root")"; }

clean_up() {
  [ -z "$stage" ] || rm -rf "$stage"
  [ -z "$work" ] || { chmod -R u+rwx "$work" && rm -rf "$work"; } 2>/dev/null
  [ -z "$aside" ] || [ "$changing" = yes ] || rm -rf "$aside"
}

# --- what a manifest says

digest() { # SHA-256 of standard input
  case $hasher in
    sha256sum) sha256sum ;;
    shasum) shasum -a 256 ;;
    openssl) openssl dgst -sha256 -r ;;
  esac | sed 's/[^0-9a-f].*//'
}

# NAME MANIFEST
text_member() { sed -n 's/.*"'"$1"'":"\([A-Za-z0-9._:+-]*\)".*/\1/p' "$2"; }
number_member() { sed -n 's/.*"'"$1"'":\([0-9][0-9]*\).*/\1/p' "$2"; }

use_backup() { # ID: what follows is about it, and its manifest can be believed
  case $1 in
    '') usage "which backup?" ;;
    [!A-Za-z0-9_+]* | *[!A-Za-z0-9._+-]*) usage "that is not the name of a backup: $1" ;;
  esac
  id=$1 backup=$store/backups/$1 manifest=$store/backups/$1/manifest.json
  [ -d "$backup" ] || die 5 "there is no backup $id" "See what there is: $(again) list"
  [ -f "$manifest" ] || die 7 "backup $id has no manifest.json" "$(choose_another)"
  format=$(number_member format_version "$manifest")
  case $format in
    "$knows") ;;
    '') die 7 "the manifest of $id cannot be read" "$(choose_another)" ;;
    *) die 1 "backup $id has format $format, and this script knows format $knows" \
      "Use the rescue.sh of the version that made it." ;;
  esac
  if [ -z "$hasher" ]; then
    [ "$force" = yes ] || die 1 "without sha256sum, shasum or openssl nothing can be verified" \
      "Install one of them, or go on without by --force."
    return
  fi
  found=$(sed 's/"digest":"[0-9a-f]*",//' "$manifest" | tr -d '\n' | digest)
  if [ "$found" != "$(text_member digest "$manifest")" ] || [ "$(text_member id "$manifest")" != "$id" ]; then
    die 7 "the manifest of $id is not what was written" "$(choose_another)"
  fi
}

text() { cat "$manifest" && echo; } # the manifest ends without a newline, which read needs

listed() { # the archives and copies of the backup, "<sha256> <name>" a line
  text | sed 's/"path":"/\
/g' | sed -n \
    's/^\([A-Za-z0-9][A-Za-z0-9._-]*\)","present":[a-z]*,\("scope":"[a-z]*",\)\{0,1\}"sha256":"\([0-9a-f]*\)".*/\3 \1/p'
}

records() { # the entries of the manifest, one a line, from the name of the component on
  text | sed 's/{"component":"/\
/g'
}

entries() { # COMPONENT: what is stored of it, "user/<path>" a line; without escaped names
  records | sed -n \
    -e 's/^'"$1"'",.*"path":"\([^"\\]*\)","scope":"\([a-z]*\)",.*"state":"stored".*/\2\/\1/p' \
    -e 's/^'"$1"'",.*"path":"\([^"\\]*\)","scope":"\([a-z]*\)",.*"state":"unstable".*/\2\/\1/p'
}

mode_of_copy() { # "settings.json": its mode in the tree, in octal
  name=$(printf %s "$1" | sed 's/\./[.]/g')
  mode=$(records | sed -n \
    's/.*"mode":\([0-9]\{1,4\}\),.*"path":"'"$name"'","scope":"'"$scope"'",.*/\1/p')
  if [ -n "$mode" ]; then printf %o "$mode"; else echo 600; fi
}

backups() { # "<sequence> <id>" a line, newest first
  for one in "$store"/backups/*/manifest.json; do
    directory=${one%/manifest.json}
    [ -f "$one" ] || continue
    case ${directory##*/} in *[!A-Za-z0-9._+-]*) continue ;; esac
    number=$(number_member sequence "$one")
    printf '%s %s\n' "${number:-0}" "${directory##*/}"
  done | sort -rn
}

# --- the files of a backup

why_bad() { # SHA256 NAME: says what is wrong with a file of the backup, nothing when it is good
  if ! [ -f "$backup/$2" ]; then
    echo "is missing"
  elif [ -n "$hasher" ] && [ "$(digest <"$backup/$2")" != "$1" ]; then
    echo "is not what was written (its SHA-256 differs)"
  else
    case $2 in
      *.tar.gz)
        if ! gzip -t <"$backup/$2" 2>/dev/null ||
          ! gzip -dc <"$backup/$2" | tar -tf - >/dev/null 2>&1; then
          echo "cannot be unpacked"
        fi
        ;;
    esac
  fi
}

need() { # SHA256 NAME: a file that will be used
  problem=$(why_bad "$1" "$2")
  [ -z "$problem" ] || die 7 "$2 of $id $problem" "$(choose_another)
What is sound of this one can be brought back by: $(again) file $id NAME"
}

unpack() { # ARCHIVE, into $work/unpacked
  # It is ours and was verified; a name that leads elsewhere is refused all the same.
  # Busybox lists such a name without what leads there, and says so.
  if gzip -dc <"$backup/$1" | tar -tf - 2>&1 |
    grep -Eq '^/|(^|/)\.\.(/|$)|^tar: [Rr]emoving leading'; then
    die 7 "$1 of $id holds a name that leads out of the tree" "$(choose_another)"
  fi
  # The directory is private; not every tar lets -p overrule the umask.
  gzip -dc <"$backup/$1" | (umask 0 && cd "$work/unpacked" && tar -xopf -) ||
    die 1 "$1 of $id could not be unpacked" "$(no_room)
The tar of busybox needs to be root for folders that are read-only; GNU tar does not."
}

not_unpacked() { # COMPONENT: a name that this tar could not write, if there is one
  inner=''
  [ "$1" != referenced ] || inner=referenced/
  entries "$1" | while IFS= read -r stored; do
    case $stored in
      user/*) member=$inner${stored#user/} ;;
      *) member=project_$inner${stored#project/} ;;
    esac
    [ -e "$work/unpacked/$member" ] || [ -L "$work/unpacked/$member" ] || printf '%s\n' "$member"
  done | sed -n 1p
}

gather() { # COMPONENT: its part of the wanted scope, from $work/unpacked to $work/tree
  part=$work/unpacked/$prefix$1
  [ -e "$part" ] || return 0
  if [ "$1" = referenced ]; then
    for inner in "$part"/* "$part"/.[!.]*; do
      ! is_there "$inner" || mv "$inner" "$work/tree/" || die 1 "$inner could not be moved"
    done
  else # a read-only directory cannot be moved, only copied
    mv "$part" "$work/tree/$1" 2>/dev/null || cp -RPp "$part" "$work/tree/$1" ||
      die 1 "$1 of $id could not be unpacked" "$(no_room)"
  fi
}

gather_copy() { # settings.json or project_settings.json, to $work/tree/settings.json
  case $scope/$1 in
    user/project_*) return ;;
    user/* | project/project_*) ;;
    *) return ;;
  esac
  copied=$work/tree/${1#"$prefix"}
  if ! cp "$backup/$1" "$copied" || ! chmod "$(mode_of_copy "${1#"$prefix"}")" "$copied"; then
    die 1 "$1 of $id could not be copied" "$(no_room)"
  fi
}

# --- the tree; a PATH is relative to $root, and to $from, where the new files lie

walk() { # FUNCTION DIRECTORY/: calls FUNCTION with the path of each name in $from/DIRECTORY
  for entry in "$from/$2"* "$from/$2".[!.]* "$from/$2"..?*; do
    if is_there "$entry"; then "$1" "${entry#"$from"/}"; fi
  done
}

is_there() { [ -e "$1" ] || [ -L "$1" ]; }
is_dir() { [ -d "$1" ] && ! [ -L "$1" ]; }

# Cannot be copied aside and then replaced by one rename: it is moved aside.
in_the_way() { [ -d "$1" ] || { [ -e "$1" ] && ! { [ -f "$1" ] && [ -r "$1" ]; }; }; }

follow() { # FILE: sets target, where its bytes are once all links are followed
  target=$1 hops=0
  while [ -L "$target" ]; do
    hops=$((hops + 1))
    [ $hops -le 40 ] || die 1 "$1 is a link that leads nowhere" "Remove it, and try again."
    leads_to=$(readlink "$target" && echo .) || die 1 "$1 cannot be followed"
    leads_to=${leads_to%??}
    case $leads_to in
      /*) target=$leads_to ;;
      *) target=${target%/*}/$leads_to ;;
    esac
  done
}

check_place() { # DIRECTORY in which a name will change
  [ -d "$1" ] || die 1 "a link leads to $1, which is not there" "Make it, or remove the link."
  if ! [ -w "$1" ] || ! [ -x "$1" ]; then
    die 9 "you may not write in $1" "Mend its mode or its owner, and try again."
  fi
}

check_link() { # DIRECTORY to which a link of the tree led
  [ "$force" = no ] || return 0
  case $(cd -P "$1" && pwd)/ in
    "$real_root"/* | "$real_home"/*) ;;
    *) die 1 "a link leads out of your home, to $1" "If that is meant, say so by --force." ;;
  esac
}

permissions() {
  listing=$(ls -ldL "$1")
  listing=${listing%%" "*}
  printf %s "${listing%[.+@]}"
}

mode_of() { # as chmod reads it: "u=rwx,g=rx,o="
  permissions "$1" |
    sed 's/^.\(...\)\(...\)\(...\)$/u=\1,g=\2,o=\3/; s/-//g; s/s/xs/g; s/t/xt/g; y/ST/st/'
}

same() { # NEW LIVE: both are the same link, or files of the same content and mode
  if [ -L "$1" ]; then
    [ -L "$2" ] && [ "$(readlink "$1")" = "$(readlink "$2")" ]
  else
    [ -f "$2" ] && cmp -s "$1" "$2" && [ "$(permissions "$1")" = "$(permissions "$2")" ]
  fi
}

not_kept() { die 1 "$1 could not be copied to $aside" "Is there room in the store?"; }

keep_old() { cp "$2" "$live" "$aside/old/$1" || not_kept "$live"; } # PATH HOW
mark_added() {                                                      # PATH
  case $1 in */*) mkdir -p "$aside/added/${1%/*}" ;; esac
  cp -RP "$from/$1" "$aside/added/$1" || not_kept "$live"
}

# PATH: looks whether it can be put, copies aside what it will replace, and marks what it
# will add. What is as it should be gets neither, and put passes it over.
keep() {
  live=$root/$1 new=$from/$1
  if is_dir "$new" && [ -d "$live" ]; then
    [ ! -L "$live" ] || check_link "$live"
    (umask "$user_umask" && mkdir -p "$aside/old/$1") || not_kept "$live"
    walk keep "$1/"
    return
  fi
  is_dir "$new" || ! same "$new" "$live" || return 0
  [ ! -d "$root" ] || check_place "${live%/*}"
  if is_dir "$new" || in_the_way "$live" || { [ -n "$kept" ] && is_there "$kept/added/$1"; }; then
    mark_added "$1"
  elif [ -L "$new" ]; then
    ! is_there "$live" || keep_old "$1" -RPp
    mark_added "$1"
  else
    follow "$live"
    if [ -L "$live" ]; then
      check_place "${target%/*}"
      check_link "${target%/*}"
    fi
    if [ -e "$target" ]; then keep_old "$1" -p; else mark_added "$1"; fi
  fi
}

put() { # PATH: from $from to the tree
  live=$root/$1 new=$from/$1
  if is_dir "$new" && [ -d "$live" ]; then
    walk put "$1/"
    return
  fi
  is_there "$aside/old/$1" || is_there "$aside/added/$1" || return 0
  target=$live
  is_dir "$new" || [ -L "$new" ] || in_the_way "$live" || follow "$live"
  did=replaced
  is_there "$target" || did=added
  changing=yes
  if in_the_way "$live" || { is_dir "$new" && is_there "$live"; }; then
    mv "$live" "$aside/old/$1" || die 1 "$live could not be moved aside"
  fi
  next=${target%/*}/.rescue.$$
  ! is_there "$next" || die 1 "$next is in the way"
  stage=$next
  # Not cp -p: newer than what a package would copy over it "if newer".
  if ! (umask 0 && cp -RP "$new" "$stage") || ! mv -f "$stage" "$target"; then
    die 1 "$live could not be written" "$(no_room)"
  fi
  stage=''
  printf '%s %s\n' "$did" "$(show "$live")"
}

take_out() { # PATH: what an earlier run added, from the tree to $aside
  live=$root/$1
  if is_dir "$from/$1" && [ -d "$live" ]; then
    if [ -d "$kept/old/$1" ]; then
      walk take_out "$1/"
      return
    fi
    # That run made it: it goes as well, unless something of others is in it.
    set -- "$1" "$(mode_of "$live")"
    changing=yes
    chmod u+rwx "$live"
    walk take_out "$1/"
    mkdir -p "$aside/old/$1" && chmod "$2" "$aside/old/$1"
    rmdir "$root/$1" 2>/dev/null || chmod "$2" "$root/$1"
    return
  fi
  is_there "$live" || return 0
  target=$live
  [ -d "$live" ] || [ -L "$from/$1" ] || follow "$live"
  case $1 in */*) (umask "$user_umask" && mkdir -p "$aside/old/${1%/*}") ;; esac
  changing=yes
  mv "$target" "$aside/old/$1" || die 1 "$live could not be moved aside"
  printf 'moved aside %s\n' "$(show "$live")"
}

# Settings shall never name a hook that is not there: they are put last and taken out first.
is_settings() { [ "$1" = settings.json ] || [ "$1" = settings.local.json ]; }
put_settings() { ! is_settings "$1" || put "$1"; }
put_rest() { is_settings "$1" || put "$1"; }
take_out_settings() { ! is_settings "$1" || take_out "$1"; }

# --- before a change

use_tree() { # sets root: the .claude directory that is meant
  [ -n "${HOME:-}" ] || usage "HOME is not set"
  scope=user prefix='' root=${CLAUDE_CONFIG_DIR:-$HOME/.claude}
  if [ -n "$project" ]; then
    project=$(cd -P -- "$project" && pwd) || die 5 "there is no such directory"
    scope=project prefix=project_ root=$project/.claude
  fi
  root=${root%/}
  case $root in
    /?*) ;;
    *) usage "CLAUDE_CONFIG_DIR must be an absolute path: $root" ;;
  esac
}

check_project() { # a project's part never lands in another project
  [ "$scope" = project ] || return 0
  taken_of=$(sed -n 's/.*"roots":{"project":"\([^"]*\)".*/\1/p' "$manifest")
  [ -n "$taken_of" ] || die 5 "backup $id holds no project" "See what there is: $(again) list"
  [ "$taken_of" = "$root" ] || [ "$force" = yes ] ||
    die 1 "backup $id is of another project: ${taken_of%/.claude}" \
      "If that project is here now, say so by --force."
}

at_work() { die 6 "another command is at work in $1" "Try again when it is done."; }

prepare() { # refuses what could do harm, and locks as the program does
  real_home=$(cd -P -- "$HOME" && pwd) || real_home=$root
  real_root=$root
  if [ -d "$root" ]; then
    real_root=$(cd -P -- "$root" && pwd) || die 9 "$root cannot be entered"
    # shellcheck disable=SC2012
    owner=$(ls -ldn "$root/." | sed -n '1s/^[^ ]* *[0-9]* *\([0-9]*\) .*/\1/p')
    [ "$owner" = "$(id -u)" ] || [ "$force" = yes ] ||
      die 9 "$root belongs to user $owner" "Do it as that user, or say --force."
  fi
  for transaction in "$store"/recovery/tx/*; do
    case ${transaction##*/} in done | inconsistent) continue ;; esac
    if [ -d "$transaction" ] && [ "$force" = no ]; then
      die 8 "an operation was interrupted and is not yet taken back: ${transaction##*/}" \
        "Let the program do it: stravinsky recovery resume. If it cannot run, say --force."
    fi
  done
  command -v flock >/dev/null || return 0
  [ -e "$store/lock" ] || true >>"$store/lock"
  if [ -r "$store/lock" ]; then
    exec 9<"$store/lock"
    flock -n 9 || [ $? -ne 1 ] || at_work "this store"
  fi
  if [ -r "$root" ]; then
    exec 8<"$root"
    flock -n 8 || [ $? -ne 1 ] || at_work "$root"
  fi
}

make_aside() {
  mkdir -p "$store/recovery/aside" || die 9 "the store cannot be written"
  now=$(date -u +%Y%m%dT%H%M%SZ)
  made=$store/recovery/aside/$now n=1
  until mkdir "$made" 2>/dev/null; do
    n=$((n + 1)) made=$store/recovery/aside/$now.$n
    [ $n -lt 100 ] || die 9 "the store cannot be written"
  done
  aside=$made
  way_back="  $(again) undo ${aside##*/}
"
  if ! mkdir "$aside/old" "$aside/added" || ! printf %s "$root" >"$aside/root"; then
    not_kept "$root"
  fi
}

make_work() {
  for place in "${root%/*}" "$root" "$store/recovery"; do
    n=1
    while [ $n -lt 10 ]; do
      made=$place/.stravinsky-rescue.$$.$n n=$((n + 1))
      mkdir "$made" 2>/dev/null || continue
      work=$made
      mkdir "$work/unpacked" "$work/tree" "$work/one" && return
    done
  done
  die 1 "no directory could be made beside $root" "$(no_room)"
}

make_root() { (umask "$user_umask" && mkdir -p "$root") || die 9 "$root could not be made"; }
settle() { sync -f "$1" 2>/dev/null || sync; } # DIRECTORY: onto the disk

put_all() { # what lies in $from
  make_aside
  walk keep ''
  settle "$aside"
  make_root
  walk put_rest ''
  walk put_settings ''
}

tell() {
  if [ "$changing" = no ]; then
    echo "Everything is as it was there. Nothing was changed."
    return
  fi
  settle "$root"
  settle "$aside"
  printf '\nWhat was there before is kept in %s\nTake it back with:\n%s' \
    "$(show "$aside")" "$way_back"
  echo "Restart Claude Code. To the program this is a change of yours: stravinsky status"
}

# --- the commands

do_help() {
  newest=$(backups | sed -n '1s/^[0-9]* //p')
  cat <<END
Puts a backup back without the stravinsky program. The store:
  $(show "$store")

What there is, newest first:
  $(again) list
Verify a backup:
  $(again) verify ${newest:-ID}
Put it back, into ~/.claude or CLAUDE_CONFIG_DIR:
  $(again) restore ${newest:-ID}
Put the project's part of it back, into DIR/.claude:
  $(again) restore ${newest:-ID} --project DIR
Put one file or folder of it back (--project as above):
  $(again) file ${newest:-ID} settings.json
Take one of these back, by the time that it printed:
  $(again) undo TIME
Switch off all hooks that settings name, when they deny everything:
  $(again) disarm

What is replaced is copied into the store first; files that are not in the backup stay.
--store DIR names another store. --force goes on although an operation was interrupted, a
link leads out of the home, the tree is another user's, the project another one, or nothing
here computes SHA-256.
Exit codes: 0 done, 1 failed, 2 usage, 5 not found, 6 locked, 7 damaged, 8 an operation
was interrupted, 9 permission.
END
}

do_list() {
  format='%-32s %-20s %-12s %s\n'
  # shellcheck disable=SC2059
  backups | {
    rows=0
    while read -r _ name; do
      one=$store/backups/$name/manifest.json
      [ $rows -gt 0 ] || printf "$format" BACKUP TIME VERSION KIND
      rows=$((rows + 1))
      time=$(text_member timestamp "$one") version=$(text_member version "$one")
      kind=$(text_member kind "$one")
      printf "$format" "$name" "${time:-?}" "${version:-?}" "${kind:-damaged}"
    done
    [ $rows -gt 0 ] || echo "There is no backup."
  }
}

do_verify() {
  use_backup "$first"
  echo "ok   manifest.json"
  listed | {
    bad=0
    while read -r sum name; do
      problem=$(why_bad "$sum" "$name")
      [ -z "$problem" ] || bad=$((bad + 1))
      if [ -z "$problem" ]; then echo "ok   $name"; else echo "BAD  $name $problem"; fi
    done
    [ $bad -eq 0 ] || die 7 "backup $id is damaged" "$(choose_another)"
  }
}

begin() { # a restore of the backup $first
  use_backup "$first"
  use_tree
  check_project
  prepare
  make_work
  listed >"$work/listed"
  from=$work/tree
}

do_restore() {
  begin
  while read -r sum name; do need "$sum" "$name"; done <"$work/listed"
  while read -r sum name; do
    case $name in
      *.tar.gz)
        unpack "$name"
        missing=$(not_unpacked "${name%.tar.gz}")
        [ -z "$missing" ] || die 1 "this tar cannot unpack the name $missing" "Use GNU tar."
        gather "${name%.tar.gz}"
        ;;
      *) gather_copy "$name" ;;
    esac
  done <"$work/listed"
  put_all
  tell
}

do_file() {
  begin
  path=${second%/}
  # shellcheck disable=SC2088
  case $path in
    "$root"/*) path=${path#"$root"/} ;;
    "~/.claude/"*) path=${path#??.claude/} ;;
    .claude/*) path=${path#.claude/} ;;
  esac
  case /$path/ in
    *//* | */./* | */../*) usage "that is no path of a file in the tree: $second" ;;
  esac
  component=referenced
  while read -r sum name; do
    [ "$name" != "${path%%/*}.tar.gz" ] || component=${path%%/*}
  done <"$work/listed"
  while read -r sum name; do
    case $name in
      "$component.tar.gz")
        need "$sum" "$name"
        unpack "$name"
        gather "$component"
        ;;
      "$prefix$path")
        need "$sum" "$name"
        gather_copy "$name"
        ;;
    esac
  done <"$work/listed"
  is_there "$from/$path" || die 5 "backup $id does not hold $path" "$(choose_another)"
  case $path in */*) (umask "$user_umask" && mkdir -p "$work/one/${path%/*}") ;; esac
  cp -RPp "$from/$path" "$work/one/$path" || die 1 "$path could not be copied" "$(no_room)"
  from=$work/one
  put_all
  tell
}

do_undo() {
  case $first in
    '' | .* | *[!0-9TZ.]*) usage "of which time? See recovery/aside in the store" ;;
  esac
  kept=$store/recovery/aside/$first
  [ -s "$kept/root" ] || die 5 "there is no $kept" "Look for the time in $store/recovery/aside"
  use_tree
  root=$(cat "$kept/root")
  prepare
  make_aside
  from=$kept/old
  walk keep ''
  settle "$aside"
  make_root
  walk put_settings ''
  from=$kept/added
  walk take_out_settings ''
  walk take_out ''
  from=$kept/old
  walk put_rest ''
  tell
}

disarm() { # in $root
  now=$(date -u +%Y%m%dT%H%M%SZ)
  for name in settings.json settings.local.json; do
    is_there "$root/$name" || continue
    away=$root/$name.disarmed-$now
    ! is_there "$away" || die 1 "$away is in the way" "Try again in a second."
    mv "$root/$name" "$away" || die 9 "$root/$name could not be moved"
    changing=yes
    way_back="$way_back  mv -i $(quote "$away") $(quote "$root/$name")
"
  done
}

do_disarm() {
  wanted=$project
  project=''
  use_tree
  disarm
  project=$wanted
  [ -z "$project" ] || { use_tree && disarm; }
  if [ "$changing" = no ]; then
    echo "There are no settings that could name a hook. Nothing was changed."
    return
  fi
  printf 'Hooks of settings are off (those of plugins are not). Put them back with:\n%s' \
    "$way_back"
}

# --- what is asked for

case $0 in
  */*) here=${0%/*} ;;
  *) here=. ;;
esac
self=$(cd -P -- "$here" && pwd)/${0##*/}

asked='' first='' second='' words=0 options=yes
while [ $# -gt 0 ]; do
  case $options$1 in
    yes--project | yes--store)
      [ $# -gt 1 ] || usage "$1 wants a directory"
      if [ "$1" = --store ]; then store=$2; else project=$2; fi
      shift
      ;;
    yes--force) force=yes ;;
    yes-h | yes--help) asked=help ;;
    yes--) options=no ;;
    yes-*) usage "there is no option $1" ;;
    *)
      words=$((words + 1))
      case $words in
        1) asked=${asked:-$1} ;;
        2) first=$1 ;;
        3) second=$1 ;;
      esac
      ;;
  esac
  shift
done

store=$(cd -P -- "${store:-$here/..}" && pwd) || exit 5
# The last one found is the one to use.
hasher=''
for tool in openssl shasum sha256sum; do
  if command -v "$tool" >/dev/null; then hasher=$tool; fi
done

case ${asked:-help}/$words in
  help/* | disarm/1) ;;
  list/1 | verify/[12] | restore/[12] | file/3 | undo/[12])
    [ -d "$store/backups" ] || die 5 "there is no store in $store" "Name it by --store DIR."
    ;;
  *) usage "what is meant by $asked?" ;;
esac

trap clean_up EXIT
trap 'die 130 "interrupted"' HUP INT TERM
trap '' PIPE # whoever reads what it prints may go; the work is done to its end
"do_${asked:-help}"
