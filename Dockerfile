# Images with hinted_exemplar. Two to choose from, by --target:
#   postgres   a whole server: pgvector's image with the extension (docker build --target postgres --build-arg PG_MAJOR=17 .)
#   extension  only the extension's files, for CloudNativePG: mounted into a server of PostgreSQL 18, which finds them by
#              extension_control_path and dynamic_library_path (docker build --target extension --build-arg PG_MAJOR=18 .)
ARG PG_MAJOR=18
ARG PGVECTOR=0.8.1
ARG RUST=1.95.0

FROM rust:${RUST}-slim-bookworm AS rust

FROM pgvector/pgvector:${PGVECTOR}-pg${PG_MAJOR}-bookworm AS build
ARG PG_MAJOR
RUN apt-get update && apt-get install -y --no-install-recommends \
        build-essential ca-certificates libclang-dev libssl-dev pkg-config python3 "postgresql-server-dev-${PG_MAJOR}" \
    && rm -rf /var/lib/apt/lists/*
COPY --from=rust /usr/local/rustup /usr/local/rustup
COPY --from=rust /usr/local/cargo /usr/local/cargo
ENV RUSTUP_HOME=/usr/local/rustup CARGO_HOME=/usr/local/cargo PATH=/usr/local/cargo/bin:$PATH
WORKDIR /build
COPY . .
RUN PG_CONFIG="/usr/lib/postgresql/${PG_MAJOR}/bin/pg_config" scripts/package.sh image \
    && mv "target/packages/image-pg${PG_MAJOR}" /image

FROM scratch AS extension
COPY --from=build /image/ /

FROM pgvector/pgvector:${PGVECTOR}-pg${PG_MAJOR}-bookworm AS postgres
ARG PG_MAJOR
COPY --from=build /image/lib/ /usr/lib/postgresql/${PG_MAJOR}/lib/
COPY --from=build /image/share/extension/ /usr/share/postgresql/${PG_MAJOR}/extension/
COPY --from=build /image/licenses/ /usr/share/doc/hinted_exemplar/
