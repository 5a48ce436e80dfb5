#!/usr/bin/env bash
# Runs the command with the options that the inputs stand for. No secret is in its arguments.
set -euo pipefail

fail() {
    printf '::error title=Checksum::%s\n' "$1"
    exit 2
}

# Hides a value in the log, line by line. A short line would hide parts of other words.
mask() {
    local line
    while IFS= read -r line || [[ -n $line ]]; do
        line=${line%$'\r'}
        line=${line//'%'/%25}
        [[ ${#line} -lt 4 ]] || printf '::add-mask::%s\n' "$line"
    done <<<"$1"
}

is_true() {
    case $2 in
        [Tt]rue | TRUE) return 0 ;;
        [Ff]alse | FALSE | '') return 1 ;;
        *) fail "$1 is true or false" ;;
    esac
}

# Splits a list at commas and line ends into the array `items`.
split() {
    local item newline=$'\n'
    items=()
    while IFS= read -r item || [[ -n $item ]]; do
        item=${item#"${item%%[![:space:]]*}"}
        item=${item%"${item##*[![:space:]]}"}
        [[ -z $item ]] || items+=("$item")
    done <<<"${1//,/$newline}"
}

# Adds an option if its input is given.
add() {
    [[ -z $2 ]] || options+=("$1=$2")
}

if [[ -z $CHECKSUM_API_KEY ]]; then
    fail 'api-key is empty: GitHub gives no secret to a pull request from a fork, or it has another name'
fi
mask "$CHECKSUM_API_KEY"
# No child process but the command gets them.
export -n CHECKSUM_API_KEY INPUT_ENV_OVERRIDES

affected=false
if is_true affected "$INPUT_AFFECTED"; then affected=true; fi
modes=()
[[ $affected == false ]] || modes+=(affected)
[[ -z $INPUT_GREP ]] || modes+=(grep)
[[ -z $INPUT_SUITE_IDS ]] || modes+=(suite-ids)
[[ -z $INPUT_TEST_IDS ]] || modes+=(test-ids)
[[ -z $INPUT_COLLECTION_ID ]] || modes+=(collection-id)
[[ ${#modes[@]} == 1 ]] \
    || fail 'give exactly one of affected, grep, suite-ids, test-ids and collection-id'

options=()
arguments=()
exec 0</dev/null
case ${modes[0]} in
    affected)
        selection='affected'
        arguments=(-)
        if [[ -n ${INPUT_CHANGED_FILES//[[:space:]]/} ]]; then
            exec 0< <(printf '%s\n' "$INPUT_CHANGED_FILES")
        else
            base=$INPUT_GIT_BASE_REF
            [[ -n $base || -z ${GITHUB_BASE_REF:-} ]] || base=origin/$GITHUB_BASE_REF
            [[ -n $base ]] || fail 'affected needs changed-files or git-base-ref'
            files=$RUNNER_TEMP/checksum-changed-files
            git -C "${INPUT_GIT_DIR:-.}" diff --name-only --no-renames --no-relative -z \
                --end-of-options "$base..." -- >"$files" \
                || fail 'git cannot compare with git-base-ref; the checkout may need fetch-depth: 0'
            exec 0<"$files"
        fi
        ;;
    grep)
        selection='grep'
        arguments=("$INPUT_GREP")
        ;;
    suite-ids)
        selection='suite'
        split "$INPUT_SUITE_IDS"
        [[ ${#items[@]} != 0 ]] || fail 'suite-ids has no id'
        for id in "${items[@]}"; do add --suite "$id"; done
        ;;
    test-ids)
        selection='tests'
        split "$INPUT_TEST_IDS"
        [[ ${#items[@]} != 0 ]] || fail 'test-ids has no id'
        arguments=("${items[@]}")
        ;;
    collection-id)
        selection='collection'
        arguments=("$INPUT_COLLECTION_ID")
        ;;
esac

if [[ $selection == grep || $selection == affected ]]; then
    add --branch "$INPUT_BRANCH"
    [[ $INPUT_SHARD_COUNT == 1 ]] || add --shards "$INPUT_SHARD_COUNT"
    if [[ -n ${INPUT_ENV_OVERRIDES//[[:space:]]/} ]]; then
        type -P jq >/dev/null || fail 'env-overrides needs jq on the runner'
        mask "$(jq --raw-output '.[]? | tostring' <<<"$INPUT_ENV_OVERRIDES" 2>/dev/null || true)"
        exec 3< <(printf '%s\n' "$INPUT_ENV_OVERRIDES")
        add --env-file /dev/fd/3
    fi
elif [[ -n $INPUT_BRANCH$INPUT_ENV_OVERRIDES ]]; then
    echo '::warning title=Checksum::branch and env-overrides are only for grep and affected'
fi

if is_true auto-heal "$INPUT_AUTO_HEAL"; then
    options+=(--auto-heal)
    is_true auto-create-pr "$INPUT_AUTO_CREATE_PR" || options+=(--no-create-pr)
    add --pr "$INPUT_PR_NUMBER"
    add --repo "$INPUT_REPO_NAME"
    if [[ -n ${INPUT_METADATA//[[:space:]]/} ]]; then
        type -P jq >/dev/null || fail 'metadata needs jq on the runner'
        pairs=$(jq --raw-output 'objects // error("") | to_entries[] | "\(.key):=\(.value | tojson)"' \
            <<<"$INPUT_METADATA" 2>/dev/null) || fail 'metadata is not a JSON object'
        while IFS= read -r pair; do add --metadata "$pair"; done <<<"$pairs"
    fi
fi

if is_true wait "$INPUT_WAIT"; then
    add --poll-interval "${INPUT_POLL_INTERVAL_SECONDS:+${INPUT_POLL_INTERVAL_SECONDS}s}"
    add --timeout "${INPUT_WAIT_TIMEOUT_SECONDS:+${INPUT_WAIT_TIMEOUT_SECONDS}s}"
    while IFS= read -r report; do add --report "$report"; done <<<"$INPUT_REPORT"
else
    options+=(--detach)
fi

if [[ -n $INPUT_API_BASE_URL ]]; then
    export CHECKSUM_API_BASE_URL=${INPUT_API_BASE_URL%/}
    # The vendor's action adds it too.
    [[ $CHECKSUM_API_BASE_URL == */public-api ]] || CHECKSUM_API_BASE_URL+=/public-api
fi
export CHECKSUM_API_KEY
# The bash of macOS takes an empty array for an unset one.
exec "$CHECKSUM" run "$selection" ${options[@]+"${options[@]}"} -- ${arguments[@]+"${arguments[@]}"}
