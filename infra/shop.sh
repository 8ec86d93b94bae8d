#!/usr/bin/env bash
# Publishes the demo shop of a stage: make shop STAGE=dev. With DRY_RUN=1 it only prints what would change.
set -euo pipefail
# shellcheck source=infra/stage.sh
source "$(dirname "${BASH_SOURCE[0]}")/stage.sh"

# Puts the shop's files into its bucket, and removes the ones of an earlier version.
publish() {
  local bucket files=$work/shop
  step "files of the shop"
  say "$(python -m infra.steps.shop --endpoint "$(value Endpoint)" --out "$files")"
  bucket=$(value ShopBucketName)
  if is_dry_run; then
    [[ -z $bucket ]] || aws s3 sync --dryrun --delete "$files" "s3://$bucket" | sed 's/^/   /'
    return
  fi
  # A browser asks again for each file, so that a new version is used at once.
  aws s3 sync --delete --only-show-errors --cache-control no-cache --exclude api/stack "$files" "s3://$bucket"
  aws s3 cp --only-show-errors --cache-control no-cache --content-type application/json \
    "$files/api/stack" "s3://$bucket/api/stack"
}

# Deploys the stage again if its ingest does not allow the shop's origin; deploy.sh adds it to AllowedOrigins.
allow_origin() {
  local origin allowed
  origin=$(value ShopOrigin)
  step "AllowedOrigins of ingest"
  allowed=$(aws lambda get-function-configuration --function-name "clickstream-$stage" --output text \
    --query Environment.Variables.ALLOWED_ORIGINS)
  if [[ $allowed == '*' || ",$allowed," == *",${origin:-the shop},"* ]]; then
    say "the shop may post: $allowed"
  elif is_dry_run; then
    say "'make deploy STAGE=$stage' would be run, to add the shop's origin to $allowed"
  else
    say "the shop's origin is added to $allowed: the stage is deployed again"
    SMOKE=no "$here/deploy.sh" "$stage"
  fi
}

open_stage "${1:-}"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$here/.."
[[ -n $(value Endpoint) ]] || fail "stage $stage has no endpoint yet: run 'make deploy STAGE=$stage' first"
[[ -z $(value JwtIssuer)$(value ApiKeySha256) ]] ||
  fail "events of stage $stage need a token or a key, which the demo shop does not have: take another stage"

deploy shop
publish
allow_origin
! is_dry_run || exit 0

step "the shop of stage $stage is published"
say "shop        $(value ShopOrigin)/"
say "raw events  s3://$(value RawBucketName)/events/"
say "log         aws logs filter-log-events --log-group-name /aws/lambda/clickstream-$stage --query 'events[].message' --output text"
