#!/usr/bin/env bash
# Packages, into target/packages: a Debian package, PGXN's archive of the sources, or the folder of an extension image. Built twice from one
# commit by the same tools they are the same bytes: no folder of the builder and no time but the commit's is in them.
#
# usage: scripts/package.sh deb|pgxn|image
#        PG_CONFIG=.../pg_config names the Postgres; DEBEMAIL=... is the maintainer's address.

# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

OUT=${CARGO_TARGET_DIR:-$ROOT/target}/packages
VERSION=$(version)
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git -C "$ROOT" log -1 --format=%ct 2>/dev/null || echo 0)}
export SOURCE_DATE_EPOCH
mkdir -p "$OUT"

# Sets TARGET, MAJOR and STAGE: what make builds.
build() {
    "$ROOT/scripts/install.sh" build
    TARGET=$(source_of "$(real_config "${PG_CONFIG:-$(command -v pg_config)}")")
    MAJOR=$(major_of "$TARGET")
    STAGE=$(stage_of "$TARGET")
}

# lay_out LIBRARIES EXTENSIONS NOTICES: the files of a binary package into these directories.
lay_out() {
    mkdir -p "$1" "$2" "$3"
    install -m 644 "$STAGE/lib"/* "$1/"
    strip --strip-unneeded "$1"/*
    install -m 644 "$STAGE/extension"/* "$2/"
    install -m 644 "$ROOT/LICENSE" "$3/LICENSE"
    (cd "$ROOT" && scripts/notices.py "pg$MAJOR") >"$3/THIRD-PARTY-NOTICES"
    chmod 644 "$3/THIRD-PARTY-NOTICES"
}

# ---- Debian

maintainer() { echo "the hinted_exemplar authors <${DEBEMAIL:-$(git -C "$ROOT" log -1 --format=%ae)}>"; }

# depends_on LIBRARY: the shared libraries' packages, found by Debian's own tool, which wants a source package around it.
depends_on() {
    local place
    place=$(mktemp -d)
    mkdir "$place/debian"
    printf 'Source: hinted-exemplar\n\nPackage: any\nArchitecture: any\n' >"$place/debian/control"
    (cd "$place" && dpkg-shlibdeps -O "$1" 2>/dev/null | sed 's/^shlibs:Depends=//')
    rm -rf "$place"
}

write_control() {
    cat <<END_OF_CONTROL
Package: $PACKAGE
Source: hinted-exemplar
Version: $VERSION-1
Architecture: $(dpkg --print-architecture)
Maintainer: $(maintainer)
Installed-Size: $(du -k -s "$1/usr" | cut -f1)
Depends: postgresql-$MAJOR, postgresql-$MAJOR-pgvector (>= 0.7.0), $(depends_on "$1$("$TARGET" --pkglibdir)/$EXTENSION.so")
Section: database
Priority: optional
Description: search by example and by words at once for PostgreSQL $MAJOR
 An extension that fits an exemplar support vector machine with text hints
 inside the database, against a sample of the rows of the table that is
 searched. What it returns is one vector of pgvector's type: the table is
 ranked by it, through the index that is there.
END_OF_CONTROL
}

write_copyright() {
    cat <<'END_OF_COPYRIGHT'
Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: hinted_exemplar
Comment: The crates that are linked into the library are listed, each with its
 licence and text, in THIRD-PARTY-NOTICES.gz beside this file.

Files: *
Copyright: 2026, the hinted_exemplar authors
License: PostgreSQL
END_OF_COPYRIGHT
    sed '1,2d; s/^$/./; s/^/ /' "$ROOT/LICENSE"
}

# The changelog's entries for this version, in Debian's form.
write_changelog() {
    local entry
    printf 'hinted-exemplar (%s-1) unstable; urgency=medium\n\n' "$VERSION"
    awk -v version="## $VERSION (" '
        index($0, "## ") == 1 { inside = index($0, version) == 1 }
        inside && /^- / { if (entry) print entry; entry = substr($0, 3) }
        inside && /^  [^ ]/ { entry = entry " " substr($0, 3) }
        END { print entry }' "$ROOT/CHANGELOG.md" |
        while IFS= read -r entry; do printf '%s\n' "$entry" | fold -s -w 72 | sed 's/ *$//; 1s/^/  * /; 2,$s/^/    /'; done
    printf '\n -- %s  %s\n' "$(maintainer)" "$(date -u -R -d "@$SOURCE_DATE_EPOCH")"
}

deb() {
    local root=$OUT/deb document file
    command -v dpkg-deb >/dev/null && command -v dpkg-shlibdeps >/dev/null || die "a .deb takes Debian's dpkg-dev: apt-get install dpkg-dev"
    build
    PACKAGE=postgresql-$MAJOR-hinted-exemplar
    grep -q '^  \* ' <(write_changelog) || die "CHANGELOG.md lists nothing for $VERSION"
    document=$root/usr/share/doc/$PACKAGE
    rm -rf "$root"
    lay_out "$root$("$TARGET" --pkglibdir)" "$root$("$TARGET" --sharedir)/extension" "$document"
    rm "$document/LICENSE"
    write_copyright >"$document/copyright"
    write_changelog | gzip -9n >"$document/changelog.Debian.gz"
    gzip -9n "$document/THIRD-PARTY-NOTICES"
    # The first upload of a package to Debian closes a bug of Debian's; this one is no upload.
    install -d "$root/usr/share/lintian/overrides"
    echo "$PACKAGE: initial-upload-closes-no-bugs" >"$root/usr/share/lintian/overrides/$PACKAGE"
    mkdir "$root/DEBIAN"
    write_control "$root" >"$root/DEBIAN/control"
    (cd "$root" && find usr -type f -print0 | LC_ALL=C sort -z | xargs -0 md5sum) >"$root/DEBIAN/md5sums"
    chmod -R u=rwX,go=rX "$root"
    file=$OUT/${PACKAGE}_$VERSION-1_$(dpkg --print-architecture).deb
    dpkg-deb --root-owner-group -Zxz --build "$root" "$file" >/dev/null
    rm -rf "$root"
    say "$file"
}

# ---- PGXN

pgxn() {
    local name=$EXTENSION-$VERSION
    git -C "$ROOT" rev-parse HEAD >/dev/null 2>&1 || die "PGXN's archive is made of a git commit"
    # Zip has times without a zone.
    TZ=UTC git -C "$ROOT" archive --format=zip --prefix="$name/" -o "$OUT/$name.zip" HEAD
    say "$OUT/$name.zip"
}

# ---- an extension image: lib/ and share/extension/, which the server finds by extension_control_path and dynamic_library_path

image() {
    local root
    build
    root=$OUT/image-pg$MAJOR
    rm -rf "$root"
    lay_out "$root/lib" "$root/share/extension" "$root/licenses"
    chmod -R u=rwX,go=rX "$root"
    say "$root"
}

case ${1:-} in
deb | pgxn | image) "$1" ;;
*) die "usage: scripts/package.sh deb|pgxn|image" ;;
esac
