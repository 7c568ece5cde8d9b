#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Inputs of predict as folders, patterns and lists. inputs.sh PROGRAM FIXTURES
program=$1 fixtures=$2
. "$(dirname "$0")/expect.sh"
unset METASEG_DATA
case $program in /*) ;; *) program=$PWD/$program ;; esac
case $fixtures in /*) ;; *) fixtures=$PWD/$fixtures ;; esac
work=$(mktemp -d "$PWD/inputs.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
log=$work/log

predict() { # ARGUMENTS...
    run predict "$@" --data-folder "$fixtures/share" --threads 1 -m "$fixtures/model.safetensors"
}
same() { # WHAT FILE: the map of the file alone
    run eval "$2" one.tif -q
    grep -q '^OA 100.00 %' "$log.out" || fail "$1: another map than that of the file alone"
}
maps() { (cd "$1" && echo *.tif); }

cd "$work" || exit 1
mkdir tiles
cp "$fixtures/good.tif" tiles/a.tif
cp "$fixtures/good.tif" tiles/b.tif
echo words >tiles/notes.txt
predict "$fixtures/good.tif" -o one.tif -q
[ $got = 0 ] || fail "predict of a file: exit code $got"

# a folder: its images, and what lies there beside them is told
predict tiles -o maps
[ $got = 0 ] || fail "predict of a folder of images: exit code $got"
[ "$(maps maps)" = 'a_classes.tif b_classes.tif' ] || fail "predict of a folder left $(maps maps)"
grep -q "'tiles': 2 images; 1 other file ('notes.txt') is not read" "$log.err" || fail 'a folder: what is not read is not told'
same 'a folder' maps/a_classes.tif

# it goes on with --skip-existing, and a file that is no raster is listed at the end
echo junk >tiles/c.tif
cp "$fixtures/good.tif" tiles/d.tif
predict tiles -o maps --skip-existing
[ $got = 3 ] || fail "predict of a folder with a damaged file: exit code $got"
[ "$(maps maps)" = 'a_classes.tif b_classes.tif d_classes.tif' ] || fail "--skip-existing of a folder left $(maps maps)"
grep -q "tiles/c.tif': not a raster" "$log.err" || fail 'a folder: the damaged file is not told'
grep -q '1 of 4 maps made .* 2 were there already, 1 failed' "$log.err" || fail 'a folder: no sum'
rm tiles/c.tif

# a pattern that the shell has not read; one that nothing answers to
predict 'tiles/[ab].tif' -o patterns -q
[ $got = 0 ] && [ "$(maps patterns)" = 'a_classes.tif b_classes.tif' ] || fail "predict of a pattern: exit code $got, $(maps patterns)"
predict 'tiles/x*.tif' tiles/a.tif -o none -q
[ $got = 4 ] && grep -q "'tiles/x\*.tif': no file has a name like this" "$log.err" || fail "predict of a pattern of nothing: exit code $got"
[ ! -e none ] || fail 'a pattern of nothing: work was begun'
predict 'tiles/a*.tif' -o one_pattern.tif -q
[ $got = 0 ] || fail "a pattern of one file into a file: exit code $got"
same 'a pattern of one file' one_pattern.tif

# a list: relative to its folder; what fails is told with its line
mkdir lists
printf '# two tiles\n\n../tiles/a.tif\n../tiles/gone.tif\n../tiles/b.tif\n' >lists/list.txt
predict @lists/list.txt tiles/d.tif -o listed -q
[ $got = 3 ] || fail "predict of a list with a file that is not there: exit code $got"
grep -q "'lists/list.txt', line 4: 'lists/../tiles/gone.tif': no such file" "$log.err" || fail 'a list: no line of what fails'
[ "$(maps listed)" = 'a_classes.tif b_classes.tif d_classes.tif' ] || fail "predict of a list left $(maps listed)"
printf '../tiles/a.tif\n../tiles/*.png\n' >lists/list.txt
predict @lists/list.txt -o none -q
[ $got = 4 ] && grep -q "'lists/list.txt', line 2: .*no file has a name like this" "$log.err" || fail "a list with a pattern of nothing: exit code $got"

# two inputs of one name, an output that is an input: nothing is begun
predict tiles "$fixtures/good.tif" "$work/tiles/a.tif" -o none -q
[ $got = 2 ] && grep -q "both the map of 'tiles/a.tif' and" "$log.err" || fail "an input named twice: exit code $got"
[ ! -e none ] || fail 'an input named twice: work was begun'

# files of one place as one image: two halves and a gap between them
crop() { # FILE X WIDTH [EPSG]
    cat >"$1" <<END
<VRTDataset rasterXSize="$3" rasterYSize="30"><SRS>EPSG:${4:-4326}</SRS><GeoTransform>$(python3 -c "print(-170 + $2 * 0.05)"), 0.05, 0, 45, 0, -0.05</GeoTransform>
$(for band in 1 2 3; do echo "<VRTRasterBand dataType=\"Byte\" band=\"$band\"><SimpleSource><SourceFilename relativeToVRT=\"1\">tiles/a.tif</SourceFilename><SourceBand>$band</SourceBand><SrcRect xOff=\"$2\" yOff=\"0\" xSize=\"$3\" ySize=\"30\"/><DstRect xOff=\"0\" yOff=\"0\" xSize=\"$3\" ySize=\"30\"/></SimpleSource></VRTRasterBand>"; done)
</VRTDataset>
END
}
mkdir temporary
crop left.vrt 0 20
crop right.vrt 20 20
crop far.vrt 30 10
crop other.vrt 20 20 4258
TMPDIR=$work/temporary
export TMPDIR
predict left.vrt right.vrt --mosaic -o mosaic.tif -q
[ $got = 0 ] && [ ! -s "$log.err" ] || fail "predict --mosaic: exit code $got"
same 'a mosaic' mosaic.tif
run info --json --shares mosaic.tif
grep -q '"width":40,"height":30' "$log.out" && grep -q '"valid_pixels":1200,' "$log.out" || fail 'a mosaic: size or pixels'
predict left.vrt far.vrt --mosaic -o gap.tif -q
run info --json --shares gap.tif
grep -q '"valid_pixels":900,' "$log.out" || fail 'a mosaic with a gap: the gap has classes'
predict left.vrt other.vrt --mosaic -o refused.tif -q
[ $got = 4 ] && grep -q "'other.vrt': its coordinate reference system (ETRS89) is not that of 'left.vrt' (WGS 84)" "$log.err" || fail "a mosaic of two CRSs: exit code $got"
predict left.vrt right.vrt --mosaic -o maps -q
[ $got = 2 ] || fail "a mosaic into a folder: exit code $got"
[ ! -e refused.tif ] && [ -z "$(ls temporary)" ] || fail "a mosaic left $(ls temporary)"
exit $failed
