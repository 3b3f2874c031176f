# Makes a cluster of PostgreSQL in a directory of its own, runs its server until standard input ends, and
# clears up. The programs' directory, then the server's arguments; says where the directory is.
trap '' INT TERM HUP
bin=$1; shift
dir=$(mktemp -d -t enlist-postgres-XXXXXX) || exit 1
cd "$dir" || exit 1
tidy() { rm -rf "$dir"; }
"$bin/initdb" -D data -U enlist --auth=trust --no-sync -E UTF8 --locale=C >log 2>&1 || { cat log >&2; tidy; exit 1; }
"$bin/postgres" -D data -k "$dir" -c listen_addresses= -c max_connections=300 "$@" >log 2>&1 </dev/null &
server=$!
until "$bin/pg_isready" -q -h "$dir"; do
    kill -0 $server 2>/dev/null || { cat log >&2; tidy; exit 1; }
    sleep 0.05
done
echo "$dir"
cat >/dev/null
kill -INT $server
wait $server
tidy
