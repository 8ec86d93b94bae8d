#!/usr/bin/env bash
# Removes a stage: make destroy STAGE=prod. The raw events, the lake and the last snapshot of the warehouse stay, unless DELETE_RAW=yes
# is set. With DRY_RUN=1 it only prints what would be removed. A bucket of more than DELETE_AT_ONCE objects (10,000) is
# emptied by S3 itself, within days; then the exit code is 1, and a second run removes the empty bucket.
set -euo pipefail
# shellcheck source=infra/stage.sh
source "$(dirname "${BASH_SOURCE[0]}")/stage.sh"

# Deletes a stack if it exists, and waits until it is deleted.
remove() {
  local name=clickstream-$stage-$1
  step "stack $name"
  if [[ -z $(state "$1") ]]; then
    say "does not exist"
  elif is_dry_run; then
    say "would be deleted:"
    aws cloudformation describe-stack-resources --stack-name "$name" --output text \
      --query 'StackResources[].[ResourceType, PhysicalResourceId]' | sed 's/^/   /'
  else
    aws cloudformation delete-stack --stack-name "$name"
    aws cloudformation wait stack-delete-complete --stack-name "$name" || {
      explain "$name"
      fail "stack $name was not deleted: the lines above say why; then run this again"
    }
    say "deleted"
  fi
}

# Deletes everything that Chalice deployed, by name. Chalice's memory is not used: it lacks resources of a deployment
# that failed half-way, and still lists resources that a failed deletion has deleted.
remove_functions() {
  local name=clickstream-$stage api function role policy
  step "functions $name, projector, operations and reconciler"
  remove_trigger "function:$name-projector"
  for api in $(rest_apis "function:$name/"); do
    drop "REST API $api" aws apigateway delete-rest-api --rest-api-id "$api"
  done
  for function in $(aws lambda list-functions --output text \
    --query "Functions[?contains(['$name', '$name-projector', '$name-operations', '$name-reconciler'], FunctionName)].FunctionName"); do
    drop "function $function" aws lambda delete-function --function-name "$function"
  done
  for role in $(aws iam list-roles --output text \
    --query "Roles[?contains(['$name-api_handler', '$name-projector', '$name-operations', '$name-reconciler'], RoleName)].RoleName"); do
    for policy in $(aws iam list-role-policies --role-name "$role" --output text --query 'PolicyNames[]'); do
      drop "policy of role $role" aws iam delete-role-policy --role-name "$role" --policy-name "$policy"
    done
    drop "role $role" aws iam delete-role --role-name "$role"
  done
  [[ $(count_memory) == 0 ]] || drop "Chalice's memory" aws s3 rm --quiet "s3://$(value AssetBucketName)/$memory"
}

# Deletes one resource and says so; in a dry run, only says that it would be deleted.
drop() {
  if is_dry_run; then
    say "would be deleted: $1"
  else
    say "deleted: $1"
    "${@:2}" >/dev/null
  fi
}

# Prints the ids of the REST APIs that call a function; Chalice gives the REST APIs of all stages the same name.
rest_apis() {
  local api
  for api in $(aws apigateway get-rest-apis --output text --query "items[?name=='clickstream'].id"); do
    if [[ $(aws apigateway get-resources --rest-api-id "$api" --embed methods --output json) == *":$1"* ]]; then
      echo "$api"
    fi
  done
}

# Removes one function from the notifications of the raw bucket, and leaves the others.
remove_trigger() {
  local bucket file=$work/triggers.json
  bucket=$(value RawBucketName)
  has_bucket "$bucket" || return 0
  aws s3api get-bucket-notification-configuration --bucket "$bucket" --output json >"$file"
  grep -q ":$1\"" "$file" || return 0
  python -c 'if True:
    import json, sys
    all = json.load(open(sys.argv[1]))
    key = "LambdaFunctionConfigurations"
    all[key] = [each for each in all[key] if not each["LambdaFunctionArn"].endswith(":" + sys.argv[2])]
    json.dump(all, open(sys.argv[1], "w"))' "$file" "$1"
  drop "trigger of bucket $bucket" aws s3api put-bucket-notification-configuration --bucket "$bucket" \
    --notification-configuration "file://$file" --skip-destination-validation
}

# Deletes what `make restore` has left: the second warehouse is in the network of the first.
remove_restored() {
  [[ -n $(state warehouse) ]] || return 0
  [[ -n $(aws rds describe-db-clusters --output text \
    --query "DBClusters[?DBClusterIdentifier=='clickstream-$stage-restore'].DBClusterIdentifier") ]] || return 0
  step "restored warehouse clickstream-$stage-restore"
  if is_dry_run; then
    say "would be deleted"
  else
    (cd "$here/.." && python -m infra.restore "$stage" remove) || fail "the restored warehouse was not deleted: the lines above say why"
  fi
}

# Stops the raw bucket from notifying the stage's queue.
remove_notifications() {
  local bucket queue
  bucket=$(value RawBucketName)
  queue=$(value NotificationQueueArn)
  [[ -n $queue ]] && has_bucket "$bucket" || return 0
  (cd "$here/.." && drop "notifications of bucket $bucket" python -m infra.steps.notifications "$bucket" "$queue" --remove)
}

# Lambda releases its network interfaces about twenty minutes after a function is deleted. Until then, their subnets
# cannot be deleted.
wait_for_interfaces() {
  local group count tries=0
  group=$(value SecurityGroupIds)
  [[ -n $group ]] || return 0
  while count=$(aws ec2 describe-network-interfaces --filters "Name=group-id,Values=$group" \
    --query 'length(NetworkInterfaces)' --output text) && [[ $count != 0 ]]; do
    ((tries++ < 120)) || fail "Lambda still holds $count network interfaces of $group: run this again later"
    say "waiting for Lambda to release $count network interfaces (up to 40 minutes)"
    sleep 30
  done
}

has_bucket() { aws s3api head-bucket --bucket "$1" >/dev/null 2>&1; }

# Succeeds if a bucket holds more versions of objects than are deleted one request at a time.
is_large() {
  local count
  count=$(aws s3api list-object-versions --bucket "$1" --max-items "$((at_once + 1))" --output json \
    --query 'length([Versions, DeleteMarkers][].Key)')
  ((count > at_once))
}

# Asks S3 to delete every object of a bucket, with all versions: S3 does that within days, and charges nothing.
expire() {
  aws s3api put-bucket-lifecycle-configuration --bucket "$1" --lifecycle-configuration '{"Rules": [
    {"ID": "clickstream-destroy", "Status": "Enabled", "Filter": {"Prefix": ""}, "Expiration": {"Days": 1},
     "NoncurrentVersionExpiration": {"NoncurrentDays": 1}, "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1}},
    {"ID": "clickstream-destroy-markers", "Status": "Enabled", "Filter": {"Prefix": ""},
     "Expiration": {"ExpiredObjectDeleteMarker": true}}]}' >/dev/null
}

# Deletes every object, with all versions, of a bucket if the stack that made it exists; never of another bucket.
# Fails if S3 is asked to do it, and has not ended.
empty() {
  local bucket=$2 versions=$work/versions.json refused
  if [[ -z $(state "$1") ]] || ! has_bucket "$bucket"; then
    return 0
  fi
  step "every object of bucket $bucket"
  if is_large "$bucket"; then
    if is_dry_run; then
      say "more than $at_once objects: S3 would delete them by its life cycle, within days"
      return 0
    fi
    expire "$bucket"
    say "more than $at_once objects: S3 deletes them by its life cycle; run this again in two days"
    return 1
  fi
  if is_dry_run; then
    say "would be deleted"
    return 0
  fi
  while aws s3api list-object-versions --bucket "$bucket" --no-paginate --output json \
    --query '{Objects: [Versions, DeleteMarkers][].{Key: Key, VersionId: VersionId}}' >"$versions" &&
    grep -q '"Key"' "$versions"; do
    refused=$(aws s3api delete-objects --bucket "$bucket" --delete "file://$versions" --output text \
      --query 'Errors[0].Message')
    [[ -z $refused || $refused == None ]] || fail "bucket $bucket cannot be emptied: $refused"
  done
  say "deleted"
}

# Deletes a stack that keeps data, and then its bucket, which the stack always leaves behind. Both stay while S3 empties
# the bucket.
remove_kept() {
  local bucket
  bucket=$(value "$2")
  empty "$1" "$bucket" || {
    left+=" $bucket"
    return 0
  }
  remove "$1"
  if [[ -n $(state "$1") ]] && ! is_dry_run && has_bucket "$bucket"; then
    aws s3api delete-bucket --bucket "$bucket"
  fi
}

# Deletes the lake: its bucket, and its database in Glue with the tables.
remove_lake() {
  local database
  remove_kept lake LakeBucketName
  [[ -n $(state lake) && $left != *" $(value LakeBucketName)"* ]] || return 0
  for database in $(aws glue get-databases --output text \
    --query "DatabaseList[?Name=='$(value LakeDatabaseName)'].Name"); do
    drop "database $database in Glue" aws glue delete-database --name "$database"
  done
}

# Deletes the snapshots that CloudFormation has taken of the warehouse.
remove_snapshots() {
  local snapshot
  step "snapshots of the warehouse"
  for snapshot in $(aws rds describe-db-cluster-snapshots --snapshot-type manual --output text --query \
    "DBClusterSnapshots[?starts_with(DBClusterSnapshotIdentifier, 'clickstream-$stage-warehouse-')].DBClusterSnapshotIdentifier"); do
    say "$snapshot"
    is_dry_run || aws rds delete-db-cluster-snapshot --db-cluster-snapshot-identifier "$snapshot" >/dev/null
  done
}

open_stage "${1:-}"
at_once=${DELETE_AT_ONCE:-10000}
left= # buckets that S3 is still emptying
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# In the opposite order of deploy.sh, so that nothing is deleted while something else uses it.
if [[ -n $(state shop) ]]; then
  empty shop "$(value ShopBucketName)"
  remove shop
fi
remove budget
remove compaction
remove dashboard
remove reconciler
remove monitoring
remove api
remove mapping
remove operations
remove_functions
remove_restored
remove_notifications
remove queue
remove warehouse-alarms
remove warehouse
is_dry_run || wait_for_interfaces
remove network
empty base "$(value AssetBucketName)" || exit 1
remove base
if [[ ${DELETE_RAW:-no} == yes ]]; then
  remove_lake
  remove_kept raw RawBucketName
  remove_snapshots
  if [[ -n $left ]]; then
    step "S3 is still emptying$left: run this again in two days"
    exit 1
  fi
  is_dry_run || step "nothing is left of stage $stage"
else
  step "raw events are kept in s3://$(value RawBucketName): DELETE_RAW=yes deletes them too"
  [[ -z $(state lake) ]] || step "the lake is kept in s3://$(value LakeBucketName): DELETE_RAW=yes deletes it too"
fi
