#!/usr/bin/env bash
# Deploys a stage: make deploy STAGE=prod. Again, it changes what has changed. With DRY_RUN=1 it only says what would.
# SMOKE=no leaves out the event that is posted at the end.
set -euo pipefail
# shellcheck source=infra/stage.sh
source "$(dirname "${BASH_SOURCE[0]}")/stage.sh"

# Says what the change set of a stack would change, and takes it away again.
preview() {
  local name=clickstream-$stage-$1 was answer changes
  was=$(state "$1")
  shift
  if ! answer=$("$@" --no-execute-changeset 2>&1); then
    [[ -z $was ]] || fail "$name: ${answer##*$'\n'}"
    say "all of it would be new; what exactly can be said once the stacks before it are there"
  elif changes=$(grep -o 'arn:[^ ]*:changeSet/[^ ]*' <<<"$answer"); then
    aws cloudformation describe-change-set --change-set-name "$changes" --output text \
      --query 'Changes[].ResourceChange.[Action, ResourceType, LogicalResourceId, Replacement]' | sed 's/^/   /'
    aws cloudformation delete-change-set --change-set-name "$changes"
  else
    say "no change"
  fi
  # A change set for a new stack makes a stack, which is empty.
  [[ -n $was ]] || aws cloudformation delete-stack --stack-name "$name"
}

# Creates or updates the stack of one template; its parameters are the settings that it knows.
deploy() {
  local name=clickstream-$stage-$1 line
  local command=(aws cloudformation deploy --stack-name "$name" --template-file "$here/templates/$1.yaml"
    --no-fail-on-empty-changeset --tags app=clickstream "stage=$stage" --parameter-overrides)
  while IFS= read -r line; do
    [[ -z $line ]] || command+=("$line")
  done <<<"$settings"
  step "stack $name"
  if is_dry_run; then
    preview "$1" "${command[@]}"
    return
  fi
  # A stack whose creation failed holds nothing, and can only be deleted.
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

# Says so before anything fails half-way: a bucket's name is taken, by whomever, or a bucket that was there is gone.
check_bucket() {
  local setting=$1 bucket answer is_there=yes
  bucket=$(value "$setting")
  [[ -n $bucket ]] || fail "infra/stages/$stage.json names no $setting"
  if ! answer=$(aws s3api head-bucket --bucket "$bucket" 2>&1) && [[ $answer == *"(404)"* ]]; then
    is_there=no
  fi
  case $(state "$2")/$is_there in
  '/yes' | REVIEW_IN_PROGRESS/yes | ROLLBACK_COMPLETE/yes)
    fail "there is a bucket $bucket already, in this account or another: set another $setting in infra/stages/$stage.json"
    ;;
  '/no' | REVIEW_IN_PROGRESS/no | ROLLBACK_COMPLETE/no) ;;
  */no)
    fail "bucket $bucket of stack clickstream-$stage-$2 is gone: delete that stack" \
      "('aws cloudformation delete-stack --stack-name clickstream-$stage-$2'), then deploy again"
    ;;
  esac
}

# Renders, packages and deploys the functions.
deploy_functions() {
  local project=$work/project kept count concurrency
  kept=s3://$(value AssetBucketName)/$memory
  step "functions clickstream-$stage and clickstream-$stage-projector"
  mkdir -p "$project/.chalice/deployed"
  count=$(count_memory)
  [[ $count == 0 ]] || aws s3 cp --quiet "$kept" "$project/.chalice/$memory"
  fetch_authorities
  concurrency=$(aws lambda get-account-settings --query AccountLimit.ConcurrentExecutions --output text)
  settings+=$'\n'"Concurrency=$concurrency"
  write_outputs >"$work/outputs.json"
  python -m infra.render "$stage" --outputs "$work/outputs.json" --out "$project"
  python -m infra.package "$project" --out "$work/package.zip"
  if is_dry_run; then
    say "would have this configuration, and these files:"
    sed 's/^/   /' "$project/.chalice/config.json"
    python -m zipfile -l "$work/package.zip" | sed 's/^/   /'
    return
  fi
  # What was made before a failure, the next deployment finds by its name, or, of a REST API, make destroy does.
  chalice --project-dir "$project" deploy --stage "$stage" ||
    fail "the functions were not deployed: the lines above say why; then run this again"
  aws s3 cp --quiet "$project/.chalice/$memory" "$kept"
}

# Fetches the certificates of the authority that has signed the warehouse's; without any, public authorities are trusted.
fetch_authorities() {
  local from file=$work/warehouse-ca.pem
  from=$(value WarehouseCa)
  [[ -n $from ]] || return 0
  say "certificates of the warehouse's authority from $from"
  curl --fail --silent --show-error --location --proto '=https,file' --max-time 60 --output "$file" "$from" ||
    fail "WarehouseCa cannot be fetched: the line above says why; infra/stages/$stage.json names it"
  settings+=$'\n'"WarehouseCa=$file"
}

# What the functions have to know of their stage, as infra.render takes it.
write_outputs() {
  python -c 'if True:
    import json, sys
    settings = dict(line.split("=", 1) for line in sys.stdin.read().split("\n") if line)
    json.dump({key: settings.get(key, "") for key in sys.argv[1:]}, sys.stdout)' \
    Region AccountId Partition RawBucketName DwSecretArn DwParameterName SubnetIds SecurityGroupIds FailureQueueArn \
    AllowedOrigins AllowedHeaders ApiKeySha256 WarehouseCa Concurrency <<<"$settings"
}

# A dry run knows only what is there already; these stand for what is not.
stand_in() {
  local arn=$region:$account:
  settings+=$'\n'"FailureQueueArn=arn:$partition:sqs:${arn}clickstream-$stage-failures"
  settings+=$'\n'"AlarmTopicArn=arn:$partition:sns:${arn}clickstream-$stage-alarms"
  [[ $warehouse == none ]] || settings+=$'\n'"DwSecretArn=arn:$partition:secretsmanager:${arn}secret:to-be-made"
  [[ $vpc == none ]] || settings+=$'\n'"SubnetIds=subnet-to-be-made"$'\n'"SecurityGroupIds=sg-to-be-made"
}

# Posts one event, and finds it again. The warehouse is private: the projector's log says that the row is there.
smoke() {
  step "smoke test: one event, all the way"
  if [[ -n $(value JwtIssuer)$(value ApiKeySha256) && -z ${SMOKE_HEADER:-} ]]; then
    say "left out, for events need a token or a key: give it as SMOKE_HEADER='Authorization: Bearer …'"
    return
  fi
  python -m analysis smoke --url "$(value Endpoint)" --source "s3://$(value RawBucketName)" \
    --log-group "/aws/lambda/clickstream-$stage-projector" --timeout 180 ||
    fail "stage $stage is deployed, but the event did not go all the way: the line above says how far it came"
}

open_stage "${1:-}"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$here/.."
vpc=$(value Vpc)
warehouse=$(value Warehouse)
[[ $warehouse == aurora || $warehouse == none ]] || fail "in infra/stages/$stage.json, Warehouse is aurora or none"
[[ $warehouse == none || $vpc != none ]] || fail "in infra/stages/$stage.json, Warehouse aurora needs a Vpc"
[[ $vpc != vpc-* || -n $(value VpcSubnetIds) ]] || fail "in infra/stages/$stage.json, Vpc $vpc needs VpcSubnetIds"
[[ $vpc != vpc-* || $(value S3Endpoint) == no || -n $(value VpcRouteTableIds) ]] ||
  fail "in infra/stages/$stage.json, Vpc $vpc needs VpcRouteTableIds, or S3Endpoint no"
for part in network:$vpc warehouse:$warehouse; do
  [[ $part != *:none || -z $(state "${part%:*}") ]] ||
    fail "stack clickstream-$stage-${part%:*} is there, and infra/stages/$stage.json has none: delete the stack first"
done
[[ $warehouse == aurora || -n $(value DwSecretArn)$(value DwParameterName) ]] ||
  fail "in infra/stages/$stage.json, Warehouse none needs the DwSecretArn or DwParameterName of another"
check_bucket RawBucketName raw
check_bucket AssetBucketName base
if is_dry_run; then
  stand_in
  read_stacks
fi

# Storage first; then what the functions need; the functions; then what needs them.
deploy raw
deploy base
[[ $vpc == none ]] || deploy network
[[ $warehouse == none ]] || deploy warehouse
deploy_functions
deploy api
deploy monitoring
! is_dry_run || exit 0
[[ ${SMOKE:-yes} == no ]] || smoke

step "stage $stage is deployed"
say "endpoint    $(value Endpoint)"
say "raw events  s3://$(value RawBucketName)/events/"
say "dashboard   $(value Dashboard)"
