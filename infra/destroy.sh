#!/usr/bin/env bash
# Removes a stage: make destroy STAGE=prod. Raw events stay, with their bucket, unless DELETE_RAW=yes is said as well;
# so does the last snapshot of the warehouse. With DRY_RUN=1 it only says what would be removed.
set -euo pipefail
# shellcheck source=infra/stage.sh
source "$(dirname "${BASH_SOURCE[0]}")/stage.sh"

# Deletes a stack, if it is there, and waits until it is gone.
remove() {
  local name=clickstream-$stage-$1
  step "stack $name"
  if [[ -z $(state "$1") ]]; then
    say "is not there"
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

# Lets Chalice delete what it has deployed.
remove_functions() {
  local project=$work/project kept count
  kept=s3://$(value AssetBucketName)/$memory
  step "functions clickstream-$stage and clickstream-$stage-projector"
  count=$(count_memory)
  if [[ $count == 0 ]]; then
    say "are not there"
  elif is_dry_run; then
    say "would be deleted, with their roles, their REST API, and the trigger of the raw bucket"
  else
    mkdir -p "$project/.chalice/deployed"
    # Chalice looks at the app before it deletes anything.
    cp -R "$here/../chalice_app/app.py" "$here/../chalice_app/chalicelib" "$project"
    printf '{"version": "2.0", "app_name": "clickstream", "stages": {"%s": {}}}' "$stage" >"$project/.chalice/config.json"
    aws s3 cp --quiet "$kept" "$project/.chalice/$memory"
    chalice --project-dir "$project" delete --stage "$stage"
    aws s3 rm --quiet "$kept"
  fi
}

# Lambda lets go of its network interfaces some twenty minutes after a function; their subnets cannot go before.
wait_for_interfaces() {
  local group count tries=0
  group=$(value SecurityGroupIds)
  [[ -n $group ]] || return 0
  while count=$(aws ec2 describe-network-interfaces --filters "Name=group-id,Values=$group" \
    --query 'length(NetworkInterfaces)' --output text) && [[ $count != 0 ]]; do
    ((tries++ < 120)) || fail "Lambda still holds $count network interfaces of $group: run this again later"
    say "waiting for Lambda to let go of $count network interfaces (up to 40 minutes)"
    sleep 30
  done
}

has_bucket() { aws s3api head-bucket --bucket "$1" >/dev/null 2>&1; }

# Deletes every object, with all versions, of a bucket that the stack made; of no other, whatever the settings name.
empty() {
  local bucket=$2 versions=$work/versions.json
  if [[ -z $(state "$1") ]] || ! has_bucket "$bucket"; then
    return 0
  fi
  step "every object of bucket $bucket"
  if is_dry_run; then
    say "would be deleted"
    return 0
  fi
  aws s3 rm --recursive --only-show-errors "s3://$bucket"
  while aws s3api list-object-versions --bucket "$bucket" --no-paginate --output json \
    --query '{Objects: [Versions, DeleteMarkers][].{Key: Key, VersionId: VersionId}}' >"$versions" &&
    grep -q '"Key"' "$versions"; do
    aws s3api delete-objects --bucket "$bucket" --delete "file://$versions" >/dev/null
  done
  say "deleted"
}

# The stack leaves its bucket behind, whoever deletes it: that takes one more command.
remove_raw() {
  local bucket
  bucket=$(value RawBucketName)
  empty raw "$bucket"
  remove raw
  if [[ -n $(state raw) ]] && ! is_dry_run && has_bucket "$bucket"; then
    aws s3api delete-bucket --bucket "$bucket"
  fi
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
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# In the opposite order of deploy.sh: nothing is deleted that something else still uses.
remove monitoring
remove api
remove_functions
remove warehouse
is_dry_run || wait_for_interfaces
remove network
empty base "$(value AssetBucketName)"
remove base
if [[ ${DELETE_RAW:-no} == yes ]]; then
  remove_raw
  remove_snapshots
  is_dry_run || step "nothing is left of stage $stage"
else
  step "raw events are kept in s3://$(value RawBucketName): DELETE_RAW=yes deletes them too"
fi
