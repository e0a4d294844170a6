# What the image postgres:15 does at a start: a new cluster is made, prepared on its socket alone, and then served.
set -eu
run="setpriv --reuid=postgres --regid=postgres --init-groups"
mkdir -p /var/run/postgresql
chown postgres /var/run/postgresql "$PGDATA"
chmod 700 "$PGDATA"
if [ ! -s "$PGDATA/PG_VERSION" ]; then
    # shellcheck disable=SC2086 # words
    $run initdb --username="$POSTGRES_USER" --pwfile="$POSTGRES_PASSWORD_FILE" ${POSTGRES_INITDB_ARGS:-} >/dev/null
    echo "host all all all scram-sha-256" >>"$PGDATA/pg_hba.conf"
    echo "listen_addresses = '*'" >>"$PGDATA/postgresql.conf"
    PGPASSWORD=$(cat "$POSTGRES_PASSWORD_FILE") && export PGPASSWORD
    $run pg_ctl -w start -o "-c listen_addresses=''" >/dev/null
    for file in /docker-entrypoint-initdb.d/*; do
        $run "$file"
    done
    $run pg_ctl -m fast -w stop >/dev/null
    unset PGPASSWORD
fi
exec $run "$@"
