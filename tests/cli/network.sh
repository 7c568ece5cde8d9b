#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Images by URL: refused, and read with --allow-network, from a server on this machine. network.sh PROGRAM FIXTURES
program=$1 fixtures=$2
. "$(dirname "$0")/expect.sh"
unset METASEG_DATA http_proxy https_proxy HTTP_PROXY HTTPS_PROXY
work=$(mktemp -d "$PWD/network.XXXXXX") || exit 1
server=
trap '[ -z "$server" ] || kill "$server"; rm -rf "$work"' EXIT

predict() { # ARGUMENTS...
    run predict "$@" -f -q --data-folder "$fixtures/share" --threads 1 -m "$fixtures/model.safetensors"
}
same() { # WHAT FILE
    run eval "$2" "$work/good.tif" -q
    grep -q '^OA 100.00 %' "$log.out" || fail "$1: another map than that of the local file"
}
predict "$fixtures/good.tif" -o "$work/good.tif"

# a port that the system chooses, told by the first line
python3 -u -c "
import functools, http.server, sys
class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *words):
        open(sys.argv[2], 'a').write(self.path + chr(10))
server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), functools.partial(Quiet, directory=sys.argv[1]))
print(server.server_port)
server.serve_forever()" "$fixtures" "$work/asked" >"$work/port" 2>/dev/null &
server=$!
tries=0
until [ -s "$work/port" ] || [ $tries = 100 ]; do
    sleep 0.1
    tries=$((tries + 1))
done
[ -s "$work/port" ] || {
    echo "no server can be started on this machine"
    exit 77
}
url=http://127.0.0.1:$(cat "$work/port")

# without the option nothing is asked for
predict "$url/good.tif" -o "$work/map.tif"
[ $got = 4 ] && grep -q 'only local files are read.*--allow-network' "$log.err" || fail "predict of a URL: exit code $got"
predict "/vsicurl/$url/good.tif" -o "$work/map.tif" --allow-network
[ $got = 4 ] || fail "predict of GDAL's own name of a URL: exit code $got"
cat >"$work/item.json" <<END
{"type":"Feature","stac_version":"1.0.0","properties":{},"assets":{
"b":{"href":"$url/scene/scene_B02.tif","eo:bands":[{"name":"x","common_name":"blue"}]},
"g":{"href":"$url/scene/scene_B03.tif","eo:bands":[{"name":"y","common_name":"green"}]},
"gone":{"href":"$url/scene/gone.tif","eo:bands":[{"name":"w","common_name":"nir"}]},
"r":{"href":"$url/scene/scene_B04.tif","eo:bands":[{"name":"z","common_name":"red"}]}}}
END
predict "$work/item.json" -o "$work/map.tif"
[ $got = 4 ] && grep -q 'lie elsewhere.*--allow-network' "$log.err" || fail "predict of an item of URLs: exit code $got"
[ ! -e "$work/asked" ] || fail "without --allow-network the server was asked for $(cat "$work/asked")"

predict "$url/good.tif" -o "$work/map.tif" --allow-network
[ $got = 0 ] || fail "predict of a URL: exit code $got"
same 'a URL' "$work/map.tif"
predict "$url/gone.tif" -o "$work/gone.tif" --allow-network
[ $got = 4 ] && [ ! -e "$work/gone.tif" ] || fail "predict of a URL of nothing: exit code $got"
predict "$work/item.json" -o "$work/item.tif" --allow-network
[ $got = 0 ] && grep -q 'files of bands are missing: w' "$log.err" || fail "predict of an item of URLs: exit code $got"
same 'an item of URLs' "$work/item.tif"
# what a virtual raster names stays local
sed "s|<SourceFilename[^<]*<|<SourceFilename>/vsicurl/$url/good.tif<|" >"$work/hostile.vrt" <<END
<VRTDataset rasterXSize="40" rasterYSize="30"><VRTRasterBand dataType="Byte" band="1"><SimpleSource><SourceFilename>x</SourceFilename><SourceBand>1</SourceBand></SimpleSource></VRTRasterBand></VRTDataset>
END
predict "$work/hostile.vrt" -o "$work/x.tif" -b 1,1,1 --allow-network
[ $got = 4 ] && [ ! -e "$work/x.tif" ] || fail "a virtual raster of a URL: exit code $got"
exit $failed
