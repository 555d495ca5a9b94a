# What bench/turn/run and bench/turn/many share: both servers on the same ports of 127.0.0.1, with
# one worker thread each.  To be sourced from the root of the repository.
# shellcheck shell=bash

port=13478
tls_port=15349
folder=$(mktemp -d)
pid=
peer=
trap 'kill "$pid" "$peer" 2>/dev/null || true; rm -rf "$folder"' EXIT

for tool in turnserver turnutils_uclient turnutils_peer; do
    command -v $tool >/dev/null || { echo "$0: needs Debian's coturn" >&2; exit 1; }
done
tools/packages.sh build
[[ -f build-bench/build.ninja ]] || meson setup build-bench -Dtests=true >/dev/null
ninja -C build-bench moim bench/turn/bench_turn_load bench/turn/bench_turn_floor >/dev/null
# an allocation over TCP takes two descriptors
ulimit -n 65536 2>/dev/null || ulimit -n "$(ulimit -Hn)"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost \
    -keyout "$folder/key.pem" -out "$folder/cert.pem" 2>/dev/null

cat >"$folder/moim.yaml" <<END
workers: 1
http: {listen: ["127.0.0.1:13479"]}
https: {listen: [], cert: $folder/cert.pem, key: $folder/key.pem}
state: {dir: $folder/state}
rtc: {port: off}
log: {level: error}
turn:
  listen: ["127.0.0.1:$port"]
  tls_listen: ["127.0.0.1:$tls_port"]
  realm: bench.example
  users: ["bench:secret"]
  allow_peers: ["127.0.0.0/8"]
  allocations_per_user: 20000
  allocations_per_prefix: 20000
END

# start moim|coturn|floor [RELAYS]: sets pid
start() {
    case $1 in
    moim) build-bench/moim --config "$folder/moim.yaml" & ;;
    coturn) turnserver -n --listening-ip 127.0.0.1 --relay-ip 127.0.0.1 --listening-port $port \
        --tls-listening-port $tls_port --cert "$folder/cert.pem" --pkey "$folder/key.pem" \
        --realm bench.example --user bench:secret --lt-cred-mech --allow-loopback-peers --no-cli \
        --relay-threads 1 --no-rfc5780 --log-file /dev/null --pidfile "$folder/pid" & ;;
    floor) build-bench/bench/turn/bench_turn_floor $port "$2" & ;;
    esac >/dev/null 2>&1
    pid=$!
    [[ $1 != floor ]] || { sleep 1; return; } # it answers to nothing
    until (exec 3<>/dev/tcp/127.0.0.1/$port) 2>/dev/null; do
        kill -0 $pid || exit 1
        sleep 0.05
    done
}

stop() {
    kill "$pid"
    wait "$pid" 2>/dev/null || true
}

# median RESULTS WHO TRANSPORT KEY, of lines "WHO TRANSPORT KEY=NUMBER ..."
median() {
    awk -v who="$2" -v transport="$3" -v key="$4=" '$1 == who && $2 == transport {
        for (i = 3; i <= NF; i++) if (index($i, key) == 1) print substr($i, length(key) + 1) }' \
        "$1" | sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'
}

# times OURS THEIRS
times() {
    awk -v ours="$1" -v theirs="$2" 'BEGIN { if (ours > 0) printf "%.1f", theirs / ours }'
}
