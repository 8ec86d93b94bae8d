#!/usr/bin/env bash
# Deploys a stage, or updates it if it exists: make deploy STAGE=prod. With DRY_RUN=1 it only prints what would change.
# With SMOKE=no it posts no event at the end.
set -euo pipefail
# shellcheck source=infra/stage.sh
source "$(dirname "${BASH_SOURCE[0]}")/stage.sh"

# Fails before the deployment starts if somebody else has a bucket of that name, or if the stack's bucket is deleted.
check_bucket() {
  local setting=$1 bucket output is_there=yes
  bucket=$(value "$setting")
  [[ -n $bucket ]] || fail "infra/stages/$stage.json names no $setting: set one"
  if ! output=$(aws s3api head-bucket --bucket "$bucket" 2>&1) && [[ $output == *"(404)"* ]]; then
    is_there=no
  fi
  case $(state "$2")/$is_there in
  '/yes' | REVIEW_IN_PROGRESS/yes | ROLLBACK_COMPLETE/yes)
    fail "there is a bucket $bucket already, in this account or another: set another $setting in infra/stages/$stage.json"
    ;;
  '/no' | REVIEW_IN_PROGRESS/no | ROLLBACK_COMPLETE/no) ;;
  */yes)
    ! is_being_emptied "$bucket" ||
      fail "bucket $bucket is being emptied, as DELETE_RAW=yes has asked: wait until S3 has deleted everything," \
        "run 'make destroy STAGE=$stage DELETE_RAW=yes' again, then deploy"
    ;;
  */no)
    fail "bucket $bucket of stack clickstream-$stage-$2 is gone: delete that stack" \
      "('aws cloudformation delete-stack --stack-name clickstream-$stage-$2'), then deploy again"
    ;;
  esac
}

# Renders, packages and deploys the functions.
deploy_functions() {
  local project=$work/project
  step "functions clickstream-$stage, projector, operations and reconciler"
  mkdir -p "$project/.chalice/deployed"
  if [[ $(count_memory) != 0 ]]; then
    aws s3 cp --quiet "s3://$(value AssetBucketName)/$memory" "$work/memory.json"
    cp "$work/memory.json" "$project/.chalice/$memory"
  fi
  fetch_authorities
  settings+=$'\n'"UnreservedConcurrency=$(unreserved_concurrency)"
  write_outputs >"$work/outputs.json"
  python -m infra.render "$stage" --outputs "$work/outputs.json" --out "$project"
  python -m infra.package "$project" --out "$work/package.zip"
  if is_dry_run; then
    say "would be deployed with this configuration and these files:"
    sed 's/^/   /' "$project/.chalice/config.json"
    python -m zipfile -l "$work/package.zip" | sed 's/^/   /'
    return
  fi
  python -m infra.steps.functions "$stage" --project "$project" ||
    fail "the functions were not deployed: the lines above say why; then run this again"
  remember
  note_deployment
}

# Adds a line about the code of this deployment to a list in the asset bucket: which one did they run before?
note_deployment() {
  local list=${memory%.json}.txt code
  code=$(git -C "$here" describe --always --dirty 2>/dev/null) || code="no git checkout"
  aws s3 cp --quiet "s3://$(value AssetBucketName)/$list" "$work/list.txt" 2>/dev/null || true
  echo "$(date -u +%Y-%m-%dT%H:%M:%SZ) $code" >>"$work/list.txt"
  aws s3 cp --quiet "$work/list.txt" "s3://$(value AssetBucketName)/$list"
}

# Saves Chalice's memory if it has changed, also after a failure: the next deployment needs it to find the REST API.
remember() {
  local file=$work/project/.chalice/$memory
  if [[ -f $file ]] && ! cmp --silent "$file" "$work/memory.json"; then
    aws s3 cp --quiet "$file" "s3://$(value AssetBucketName)/$memory"
    cp "$file" "$work/memory.json"
  fi
}

# Prints how many functions the account may run at once, without what is reserved for functions of others.
unreserved_concurrency() {
  local name own sum
  sum=$(aws lambda get-account-settings --query AccountLimit.UnreservedConcurrentExecutions --output text)
  for name in "clickstream-$stage" "clickstream-$stage-projector"; do
    own=$(aws lambda get-function-concurrency --function-name "$name" --output text \
      --query ReservedConcurrentExecutions 2>/dev/null) || own=None
    [[ $own == None ]] || ((sum += own))
  done
  echo "$sum"
}

# Fetches the certificates of the authority that signed the warehouse's. Without them, public authorities are trusted.
fetch_authorities() {
  local from file=$work/warehouse-ca.pem
  from=$(value WarehouseCa)
  [[ -n $from ]] || return 0
  say "certificates of the warehouse's authority from $from"
  curl --fail --silent --show-error --location --proto '=https,file' --max-time 60 --output "$file" "$from" ||
    fail "WarehouseCa cannot be fetched: the line above says why; correct its URL in infra/stages/$stage.json"
  settings+=$'\n'"WarehouseCa=$file"
}

# Prints the outputs of the stage that infra.render needs, as JSON.
write_outputs() {
  python -c 'if True:
    import json, sys
    settings = dict(line.split("=", 1) for line in sys.stdin.read().split("\n") if line)
    json.dump({key: settings.get(key, "") for key in sys.argv[1:]}, sys.stdout)' \
    Region AccountId Partition RawBucketName DwSecretArn DwOwnerSecretArn DwReaderSecretArn DwParameterName SubnetIds \
    SecurityGroupIds FailureQueueArn Trigger NotificationQueueArn AllowedOrigins AllowedHeaders ApiKeySha256 \
    MaxEventBytes StoreIp PriceDecimals WarehouseCa Warehouse \
    WarehouseMinCapacity ReserveConcurrency UnreservedConcurrency <<<"$settings"
}

# Adds stand-ins for resources that do not exist yet, for a dry run.
stand_in() {
  local arn=$region:$account:
  settings+=$'\n'"FailureQueueArn=arn:$partition:sqs:${arn}clickstream-$stage-failures"
  settings+=$'\n'"NotificationQueueArn=arn:$partition:sqs:${arn}clickstream-$stage-notifications"
  settings+=$'\n'"AlarmTopicArn=arn:$partition:sns:${arn}clickstream-$stage-alarms"
  settings+=$'\n'"TicketTopicArn=arn:$partition:sns:${arn}clickstream-$stage-tickets"
  [[ $warehouse == none ]] || settings+=$'\n'"DwSecretArn=arn:$partition:secretsmanager:${arn}secret:to-be-made"
  [[ $vpc == none ]] || settings+=$'\n'"SubnetIds=subnet-to-be-made"$'\n'"SecurityGroupIds=sg-to-be-made"
}

# Lets the raw bucket notify the queue, in the projector's place if it was notified before, so that no event is missed.
notify_queue() {
  step "notifications of bucket $(value RawBucketName)"
  if is_dry_run; then
    say "would go to $(value NotificationQueueArn)"
  else
    python -m infra.steps.notifications "$(value RawBucketName)" "$(value NotificationQueueArn)" \
      --function "clickstream-$stage-projector" || fail "the bucket does not notify the queue: the line above says why"
  fi
}

# Puts our code where CodeBuild takes it from, and deploys what runs it every hour.
deploy_compaction() {
  local zip
  zip=$(python -m infra.compactor --out "$work") || fail "the code of the compaction is not whole: the line above says why"
  is_dry_run || aws s3 cp --quiet "$work/$zip" "s3://$(value AssetBucketName)/$zip"
  settings+=$'\n'"CompactorZip=$zip"
  deploy compaction
}

# Adds to the warehouse what this version needs, and makes its users. The operations function does it: it owns the tables,
# and reaches every warehouse, also a private one.
upgrade() {
  step "tables of the warehouse"
  if is_dry_run; then
    say "what they lack would be added; 'python -m analysis upgrade --stage $stage --dry-run' says what, once it is deployed"
    return
  fi
  python -m analysis upgrade --function "clickstream-$stage-operations" | sed -n '1s/^/   /p' ||
    fail "stage $stage is deployed, but its warehouse is not upgraded: the line above says why"
}

# Posts one event, under the API's own name, and looks for it in raw and in the projector's log, since the warehouse is private.
smoke() {
  step "smoke test: one event from the endpoint to the warehouse"
  if [[ -n $(value JwtIssuer)$(value ApiKeySha256) && -z ${SMOKE_HEADER:-} ]]; then
    say "skipped, since events need a token or a key: pass it as SMOKE_HEADER='Authorization: Bearer …'"
    return
  fi
  python -m analysis smoke --url "$(value ApiEndpoint)" --source "s3://$(value RawBucketName)" \
    --log-group "/aws/lambda/clickstream-$stage-projector" --timeout 180 ||
    fail "stage $stage is deployed, but the event did not reach the warehouse: the line above says how far it came"
}

open_stage "${1:-}"
work=$(mktemp -d)
trap 'remember; rm -rf "$work"' EXIT
cd "$here/.."
vpc=$(value Vpc)
warehouse=$(value Warehouse)
lake=$(value Lake)
trigger=$(value Trigger)
[[ $lake == new || $lake == none ]] || fail "in infra/stages/$stage.json, Lake is new or none"
[[ $warehouse == aurora || $warehouse == none ]] || fail "in infra/stages/$stage.json, Warehouse is aurora or none"
[[ $warehouse == none || $vpc != none ]] || fail "in infra/stages/$stage.json, Warehouse aurora needs a Vpc"
[[ $vpc != vpc-* || -n $(value VpcSubnetIds) ]] || fail "in infra/stages/$stage.json, Vpc $vpc needs VpcSubnetIds"
[[ $vpc != vpc-* || $(value S3Endpoint) == no || -n $(value VpcRouteTableIds) ]] ||
  fail "in infra/stages/$stage.json, Vpc $vpc needs VpcRouteTableIds, or S3Endpoint no"
[[ -n $(value AlarmEmail) ]] ||
  fail "in infra/stages/$stage.json, AlarmEmail names nobody who is told of alarms: name an address, or say none"
[[ $(value AlarmEmail) != none ]] || settings+=$'\n'AlarmEmail=
budget=$(value BudgetDollars)
[[ $budget =~ ^[0-9]+([.][0-9]+)?$ ]] || fail "in infra/stages/$stage.json, BudgetDollars is a number; 0 means no budget"
[[ $budget =~ [1-9] ]] || budget=none
[[ $budget == none || -n $(value AlarmEmail) ]] ||
  fail "in infra/stages/$stage.json, BudgetDollars needs an AlarmEmail, or 0"
[[ -z $(value DomainName) || -n $(value DomainCertificateArn) ]] ||
  fail "in infra/stages/$stage.json, DomainName needs a DomainCertificateArn"
python=python$(python -c 'import sys; print(*sys.version_info[:2], sep=".")')
runtime=$(value Runtime)
[[ $runtime == "$python" ]] ||
  fail "infra/stages/$stage.json says ${runtime:+Runtime }${runtime:-no Runtime}, but this Python is $python:" \
    "run 'make clean setup PYTHON=${runtime:-python3.11}', or set Runtime for everybody who deploys"
for part in network:$vpc warehouse:$warehouse warehouse-alarms:$warehouse compaction:$lake budget:$budget; do
  [[ $part != *:none || -z $(state "${part%:*}") ]] ||
    fail "stack clickstream-$stage-${part%:*} exists, but infra/stages/$stage.json says none: delete the stack first"
done
[[ $warehouse == aurora || -n $(value DwSecretArn)$(value DwParameterName) ]] ||
  fail "in infra/stages/$stage.json, Warehouse none needs the DwSecretArn or DwParameterName of another"
[[ $trigger == s3 || $trigger == sqs ]] || fail "in infra/stages/$stage.json, Trigger is s3 or sqs"
[[ $trigger == sqs || -z $(state queue) ]] ||
  fail "stack clickstream-$stage-queue exists, but infra/stages/$stage.json says Trigger s3:" \
    "docs/deploy.md says how to go back from a queue"
check_bucket RawBucketName raw
check_bucket AssetBucketName base
[[ $lake == none ]] || check_bucket LakeBucketName lake
if is_dry_run; then
  stand_in
  read_stacks
fi

# The demo shop is a page that may post, once `make shop` has made it.
if [[ -n $(value ShopOrigin) && $(value AllowedOrigins) != '*' ]]; then
  settings+=$'\n'"AllowedOrigins=$(value AllowedOrigins),$(value ShopOrigin)"
fi

# Each stack comes after the ones that it needs.
deploy raw
deploy base
[[ $lake == none ]] || deploy lake
[[ $vpc == none ]] || deploy network
[[ $warehouse == none ]] || deploy warehouse
[[ $warehouse == none ]] || deploy warehouse-alarms
if [[ $trigger == sqs ]]; then
  deploy queue
  notify_queue
fi
deploy_functions
[[ $trigger == s3 ]] || deploy mapping
deploy operations
deploy api
deploy monitoring
deploy reconciler
deploy dashboard
[[ $lake == none ]] || deploy_compaction
[[ $budget == none ]] || deploy budget
upgrade
! is_dry_run || exit 0
[[ ${SMOKE:-yes} == no ]] || smoke

step "stage $stage is deployed"
say "endpoint    $(value Endpoint)"
[[ -z $(value DomainName) || -n $(value DomainZoneId) ]] ||
  say "DNS         make $(value DomainName) a CNAME of $(value DomainTarget)"
say "raw events  s3://$(value RawBucketName)/events/"
[[ $lake == none ]] || say "lake        s3://$(value LakeBucketName), Athena workgroup $(value AthenaWorkGroup)"
say "dashboard   $(value Dashboard)"
