#!/bin/sh
# Prints what an image of Debian packages is made of, as SPDX 2.3 in JSON: name, version, source and licence files of every
# package that dpkg knows there, and the program itself. Debian ships no tool that makes one, but dpkg knows all of it.
#
#     sbom.sh VERSION CREATED
set -eu

version=$1 created=$2

package() { # SPDXID NAME VERSION SUPPLIER PURL
    printf '    {"SPDXID": "SPDXRef-%s", "name": "%s", "versionInfo": "%s", "supplier": "%s",\n' "$1" "$2" "$3" "$4"
    printf '     "downloadLocation": "NOASSERTION", "filesAnalyzed": false, "licenseConcluded": "NOASSERTION",\n'
    printf '     "licenseDeclared": "%s", "copyrightText": "NOASSERTION",\n' "$6"
    printf '     "externalRefs": [{"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl", "referenceLocator": "%s"}]}' "$5"
}

cat <<END
{
  "spdxVersion": "SPDX-2.3",
  "dataLicense": "CC0-1.0",
  "SPDXID": "SPDXRef-DOCUMENT",
  "name": "syncrelay-$version",
  "documentNamespace": "https://spdx.org/spdxdocs/syncrelay-$version-$created",
  "creationInfo": {"created": "$created", "creators": ["Tool: dpkg-query"]},
  "packages": [
END
package syncrelay syncrelay "$version" "Organization: syncrelay" "pkg:generic/syncrelay@$version" MIT
# shellcheck disable=SC2016 # dpkg-query's own variables
dpkg-query -W -f '${Package}\t${Version}\t${Architecture}\n' | while IFS="$(printf '\t')" read -r name found machine; do
    id=$(printf '%s' "$name" | tr -c 'A-Za-z0-9.-' -)
    purl=$(printf 'pkg:deb/debian/%s@%s?arch=%s' "$name" "$found" "$machine" | sed 's/+/%2B/g')
    printf ',\n'
    package "deb-$id" "$name" "$found" "Organization: Debian" "$purl" NOASSERTION
done
printf '\n  ],\n  "relationships": [\n'
printf '    {"spdxElementId": "SPDXRef-DOCUMENT", "relationshipType": "DESCRIBES", "relatedSpdxElement": "SPDXRef-syncrelay"}\n  ]\n}\n'
