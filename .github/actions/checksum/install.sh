#!/usr/bin/env bash
# Sets the output `path` to the command: the given one, a downloaded release, or the one on PATH.
set -euo pipefail

fail() {
    printf '::error title=Checksum::%s\n' "$1"
    exit 2
}

releases=https://github.com/checksum-ai/checksum-rs/releases/download

if [[ -n $INPUT_PATH ]]; then
    command=$INPUT_PATH
elif [[ -n $INPUT_VERSION ]]; then
    version=${INPUT_VERSION#v}
    [[ $version =~ ^[0-9A-Za-z.-]+$ ]] || fail 'version is not the number of a release'
    [[ $RUNNER_OS-$RUNNER_ARCH == Linux-X64 ]] \
        || fail "no release for $RUNNER_OS on $RUNNER_ARCH; build the command and give its path"
    name=checksum-$version-x86_64-unknown-linux-gnu
    for file in "$name.tar.gz" "$name.tar.gz.sha256"; do
        curl --fail --silent --show-error --location --retry 3 --proto =https \
            --output "$RUNNER_TEMP/$file" "$releases/v$version/$file" \
            || fail "cannot download release $version of the command"
    done
    (cd "$RUNNER_TEMP" && sha256sum --check --status "$name.tar.gz.sha256") \
        || fail "release $version of the command is damaged: its SHA-256 differs"
    tar --extract --gzip --file "$RUNNER_TEMP/$name.tar.gz" --directory "$RUNNER_TEMP"
    command=$RUNNER_TEMP/$name/checksum
else
    command=$(type -P checksum) || fail 'give a version or a path of the command'
fi
[[ -x $command ]] || fail 'path is not that of a program'
# The next step may change the folder.
case $command in
    /* | [A-Za-z]:*) ;;
    *) command=$PWD/$command ;;
esac
[[ $command != *$'\n'* ]] || fail 'path has a line end'
printf 'path=%s\n' "$command" >>"$GITHUB_OUTPUT"
