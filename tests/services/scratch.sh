#!/usr/bin/env bash
# Print where tests keep their scratch folders: in memory where there is room, else on disk.
# They make some 100,000 files and sync them: on a slow disk that takes most of the time.
set -euo pipefail
memory=/dev/shm
needed=$((8 * 1024 * 1024)) # KiB; of tests that passed nothing is kept, so that all shares together need far less

has_room() {
	local available free
	available=$(awk '/^MemAvailable:/ {print $2}' /proc/meminfo)
	free=$(df --output=avail "$memory" | tail -n 1)
	((available > 2 * needed && free > needed))
}

runs_programs() {
	local probe
	probe=$(mktemp "$memory/secops-probe.XXXXXX")
	printf '#!/bin/sh\n' >"$probe"
	chmod +x "$probe"
	"$probe" 2>/dev/null && rm "$probe" || { rm "$probe"; return 1; }
}

if [ -w "$memory" ] && has_room && runs_programs; then
	folder=$(mktemp -d "$memory/s.XXXXXX")
else
	folder=$(mktemp -d "${TMPDIR:-/tmp}/s.XXXXXX")
fi
chmod 711 "$folder" # databases run as users of their own; their sockets need a short path
echo "$folder"
