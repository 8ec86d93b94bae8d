# Functions for one stage, its settings and its stacks, which deploy.sh and destroy.sh source.
# shellcheck shell=bash

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# The environment brings version 1 of the AWS CLI. A version 2 of the machine knows more ways to sign in.
installed=$(command -v aws || true)
if [[ -n $installed && $("$installed" --version 2>&1) == aws-cli/2* ]]; then
  aws() { "$installed" "$@"; }
fi
PATH="$here/../.venv/bin:$PATH"
export AWS_PAGER=
settings= # lines Key=Value; the last line of a key counts

step() { printf '\n== %s\n' "$*"; }
say() { printf '   %s\n' "$*"; }
fail() {
  printf 'error: %s\n' "$*" >&2
  exit 2
}
is_dry_run() { [[ -n ${DRY_RUN:-} && ${DRY_RUN:-} != 0 ]]; }
value() { sed -n "s/^$1=//p" <<<"$settings" | tail -n 1; }

# Reads the settings of a stage, its account and region, and its existing stacks.
open_stage() {
  stage=$1
  memory=deployed/$1.json
  local known file who
  command -v aws chalice >/dev/null || fail "aws or chalice is missing: run 'make setup'"
  known=$(cd "$here/stages" && printf ' %s' *.json)
  [[ -n $stage ]] || fail "no stage is named: say STAGE=… (there are:${known//.json/})"
  [[ $stage =~ ^[a-z][a-z0-9]{0,15}$ ]] || fail "a stage's name is up to 16 letters a-z and digits, not $stage"
  file="$here/stages/$stage.json"
  [[ -f $file ]] || fail "there is no stage $stage: write infra/stages/$stage.json (there are:${known//.json/})"
  settings=$(python -c 'if True:
    import json, sys
    for key, value in json.load(open(sys.argv[1])).items(): print(f"{key}={value}")' "$file" 2>/dev/null) ||
    fail "infra/stages/$stage.json is not a JSON object: correct it"

  region=$(value Region)
  region=${region:-${AWS_REGION:-${AWS_DEFAULT_REGION:-$(aws configure get region || true)}}}
  [[ -n $region ]] || fail "no region is named: set Region in infra/stages/$stage.json, or run 'aws configure'"
  export AWS_REGION=$region AWS_DEFAULT_REGION=$region
  who=$(aws sts get-caller-identity --query '[Account, Arn]' --output text 2>&1) ||
    fail "AWS does not know who you are: run 'aws configure', or set AWS_PROFILE (${who##*$'\n'})"
  account=${who%%[[:space:]]*}
  partition=$(cut -d : -f 2 <<<"$who")
  settings+=$'\n'"Region=$region"$'\n'"Stage=$stage"$'\n'"AccountId=$account"$'\n'"Partition=$partition"
  read_stacks
  step "stage $stage in account $account, region $region"
}

# Succeeds if destroy.sh has asked S3 to delete every object of a bucket.
is_being_emptied() {
  aws s3api get-bucket-lifecycle-configuration --bucket "$1" --output text --query 'Rules[].ID' 2>/dev/null |
    grep -qw clickstream-destroy
}

# Adds the state (as State.<stack>) and the outputs of each existing stack to the settings, from which later stacks take
# their parameters.
read_stacks() {
  local stacks
  stacks=$(aws cloudformation describe-stacks --output json) || fail "the stacks cannot be read: the line above says why"
  settings+=$'\n'$(python -c 'if True:
    import json, sys
    for stack in json.load(sys.stdin)["Stacks"]:
        if stack["StackName"].startswith(sys.argv[1]):
            print("State." + stack["StackName"].removeprefix(sys.argv[1]), stack["StackStatus"], sep="=")
            for output in stack.get("Outputs", ()): print(output["OutputKey"], output["OutputValue"], sep="=")
    ' "clickstream-$stage-" <<<"$stacks")
}

# Prints the state of a stack in CloudFormation's words; nothing if it does not exist.
state() { value "State.$1"; }

# Prints what a change set of a stack would change, and deletes it again.
preview() {
  local name=clickstream-$stage-$1 was output changes
  was=$(state "$1")
  shift
  if ! output=$("$@" --no-execute-changeset 2>&1); then
    [[ -z $was ]] || fail "$name: ${output##*$'\n'}"
    say "the whole stack would be new; its details are known once the stacks before it exist"
  elif changes=$(grep -o 'arn:[^ ]*:changeSet/[^ ]*' <<<"$output"); then
    aws cloudformation describe-change-set --change-set-name "$changes" --output text \
      --query 'Changes[].ResourceChange.[Action, ResourceType, LogicalResourceId, Replacement]' | sed 's/^/   /'
    aws cloudformation delete-change-set --change-set-name "$changes"
  else
    say "no change"
  fi
  # The change set of a new stack creates an empty stack. A role that may only look cannot delete it, which does no harm.
  [[ -n $was ]] || aws cloudformation delete-stack --stack-name "$name" 2>/dev/null ||
    say "the empty stack $name stays: you may not delete it"
}

# Creates or updates the stack of one template. The AWS CLI passes the settings that are parameters of the template.
deploy() {
  local name=clickstream-$stage-$1 line template
  template=$(find "$here/templates" -name "$1.yaml")
  local command=(aws cloudformation deploy --stack-name "$name" --template-file "$template"
    --no-fail-on-empty-changeset --capabilities CAPABILITY_NAMED_IAM --tags app=clickstream "stage=$stage" --parameter-overrides)
  while IFS= read -r line; do
    [[ -z $line ]] || command+=("$line")
  done <<<"$settings"
  step "stack $name"
  if is_dry_run; then
    preview "$1" "${command[@]}"
    return
  fi
  # A stack whose creation failed is empty, and can only be deleted.
  if [[ $(state "$1") == ROLLBACK_COMPLETE ]]; then
    aws cloudformation delete-stack --stack-name "$name"
    aws cloudformation wait stack-delete-complete --stack-name "$name"
  fi
  "${command[@]}" | sed '/^$/d; s/^/   /' || {
    explain "$name"
    fail "stack $name was not deployed: the lines above say why"
  }
  read_stacks
}

# Prints why a stack failed.
explain() {
  aws cloudformation describe-stack-events --stack-name "$1" --output text --max-items 50 \
    --query "StackEvents[?contains(ResourceStatus, 'FAILED')].[LogicalResourceId, ResourceStatusReason]" >&2 || true
}

# Prints 1 if the asset bucket holds Chalice's memory of its deployment, else 0.
count_memory() {
  if [[ -z $(state base) ]]; then
    echo 0
  else
    aws s3api list-objects-v2 --bucket "$(value AssetBucketName)" --prefix "$memory" --no-paginate --output text \
      --query KeyCount
  fi
}
