#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# metaseg prompt, metaseg info and what metaseg eval refuses. prompt_info.sh PROGRAM FIXTURES
program=$1 fixtures=$2
. "$(dirname "$0")/expect.sh"
unset METASEG_DATA
share="--data-folder $fixtures/share"
data=${METASEG_DOWNLOADS:-${METASEG_CACHE:-$(dirname "$0")/../../.cache}/data}

has() { # PATTERN...: the last standard output holds each
    for pattern; do grep -q -e "$pattern" "$log.out" || fail "stdout lacks '$pattern'"; done
}

# the made-up world: no vocabulary is needed to show the rest
METASEG_DOWNLOADS=/nowhere
export METASEG_DOWNLOADS
expect 0 '^  Af  *100.00 %  tropical, rainforest' "vocab.txt': missing, so no tokens" prompt --lonlat -150,10 $share
has '^prompt of Af$' '^  zone  *Tropical rainforest' 'given by hand'
expect 0 '^  none *100.00 %' "vocab.txt" prompt --lonlat 10,10 $share
has '^null prompt for 100 %'
expect 0 '^  BWh *50.00 %' "vocab.txt" prompt --bbox -120,-10,-80,10 --date 2020-07 --sensor landsat $share
has '^  none *50.00 %' 'northern hemisphere summer' 'landsat satellite' 'footprint  *-120.00000 to -80.00000 E' '^null prompt for 50 %'
expect 0 '"zone":"BWh"' 'vocab.txt' prompt --bbox -120,-10,-80,10 --json $share
has '"tokens":null' '"null_share":0.5'
expect 0 'ground sampling distance  0.05 degrees' 'vocab.txt' prompt "$fixtures/good.tif" $share
has '^  Af  *100.00 %' 'geotransform and coordinate reference system'
expect 0 '^  none *100.00 %' 'vocab.txt' prompt "$fixtures/no_place.tif" $share
expect 0 '^  Af  *100.00 %' 'vocab.txt' prompt "$fixtures/no_place.tif" --lonlat -170,44 $share
expect 0 '^  none *100.00 %' 'vocab.txt' prompt "$fixtures/no_crs.tif" $share
expect 0 '^  Af  *100.00 %' 'vocab.txt' prompt "$fixtures/no_crs.tif" --crs EPSG:4326 $share
expect 2 '' 'nonsense' prompt "$fixtures/no_crs.tif" --crs EPSG:nonsense $share
expect 2 '' 'has a georeference of its own' prompt "$fixtures/good.tif" --lonlat 1,2 $share
expect 0 'random rows' 'vocab.txt' prompt --lonlat -150,10 $share -m "$fixtures/model.safetensors"
expect 4 '' 'vocab.txt.: missing.*--vocabulary' prompts check "$fixtures/share/prompts/koppen.yaml"
expect 2 '' "'look' is nothing that is done with prompts" prompts look "$fixtures/share/prompts/koppen.yaml"
unset METASEG_DOWNLOADS

# the published climate map and vocabulary
if [ -s "$data/koppen_geiger.bin" ] && [ -s "$data/minilm/vocab.txt" ]; then
    METASEG_DOWNLOADS=$data
    export METASEG_DOWNLOADS
    mkdir -p published
    ln -sfn "$fixtures/share/prompts" published/prompts
    ln -sf "$(cd "$data" && pwd)/koppen_geiger.bin" published/koppen_geiger.bin
    expect 0 '^prompt of Cfb, 45 tokens' '' prompt --lonlat 13.06,52.40 --data-folder published
    has 'tokens  *\[CLS\] temperate oceanic'
    expect 0 '^prompt of BWh' '' prompt --lonlat 31.2,30.0 --data-folder published
    expect 0 '^prompt of Af' '' prompt --lonlat 103.8,1.35 --data-folder published
    expect 0 '^null prompt' '' prompt --lonlat -30,30 --data-folder published
    expect 0 '^150 wordings of 40 to 48 tokens' '' prompts check "$fixtures/share/prompts/koppen.yaml"
    sed 's/Tropical rainforest/Qwzx Rainforest of Borneo/' "$fixtures/share/prompts/koppen.yaml" >bank.yaml
    expect 4 'Af, wording 1: holds a name' "'bank.yaml': [0-9]* findings" prompts check bank.yaml
    rm -rf published bank.yaml
else
    echo "SKIPPED: the published climate map and vocabulary (none in '$data': make data)"
fi

# info
expect 0 'WGS 84' '' info "$fixtures/good.tif"
has 'width  *40$' 'height  *30$' '1  *red, Byte' 'footprint'
expect 0 '"bands":\[{"name":"red","type":"Byte",' '' info --json "$fixtures/good.tif"
expect 0 'class 16' '' info "$fixtures/model.safetensors"
has 'kind  *model$' 'encoder  *efficientnet_lite0' 'hash  *xxh64:[0-9a-f]*$' 'zone sentences  *30' 'unit of distances  *degree' 'parameters  *[0-9]'
expect 0 '"ground_sampling_distances":\[0.04,0.06\]' '' info --json "$fixtures/model.safetensors"
# a model for catalogues
rm -f item.json
expect 0 'kind  *model$' '' info "$fixtures/model.safetensors" --stac-mlm item.json
grep -q '"mlm:tasks"' item.json && grep -q '/model.safetensors"' item.json || fail "the STAC Item lacks something"
expect 6 '' 'item.json' info "$fixtures/model.safetensors" --stac-mlm item.json
expect 0 'kind  *model$' '' info "$fixtures/model.safetensors" --stac-mlm item.json -f
expect 2 '' '--stac-mlm describes models' info "$fixtures/good.tif" --stac-mlm item.json
expect 2 '' '--stac-mlm describes one model' info "$fixtures/model.safetensors" "$fixtures/model.safetensors" --stac-mlm item.json
expect 2 '' '-f replaces the file of --stac-mlm' info "$fixtures/model.safetensors" -f
rm item.json
# a zip is the product that it is for predict, not a checkpoint
echo x >item_of_zip
python3 -m zipfile -c info.zip item_of_zip
expect 4 '' 'Sentinel-2 products (NAME.SAFE) lie in this zip' info info.zip
rm info.zip item_of_zip
expect 0 'crs  *none' '' info "$fixtures/no_crs.tif"
grep -q 'footprint' "$log.out" && fail "a place without a coordinate reference system"
expect 0 'footprint' '' info "$fixtures/no_crs.tif" --crs EPSG:4326
expect 2 '' 'nonsense' info "$fixtures/no_crs.tif" --crs EPSG:nonsense

# all valid pixels are counted; the memory does not follow the width
envi() { # NAME WIDTH HEIGHT TYPE: the header of plain values
    printf 'ENVI\nsamples = %d\nlines = %d\nbands = 1\nheader offset = 0\nfile type = ENVI Standard\ndata type = %d\ninterleave = bsq\nbyte order = 0\n' "$2" "$3" "$4" >"$1.hdr"
}
printf '\373\377\054\001\001\000\001\000\376\000\377\000' >odd_values # -5 300 1 1 254 255
envi odd_values 3 2 2
expect 0 'valid pixels  *6$' '' info --shares odd_values
has 'pixels of no class  *2$' 'below 0 (1 pixels, down to -5), above 255 (1 pixels, up to 300)' ' 1  *, 33.33 %' ' 254  *, 16.67 %' ' 255  *, 16.67 %'
printf '\000\000\300\077\000\000\200\077' >odd_values # 1.5 1
envi odd_values 2 1 4
expect 0 '"values_of_no_class":"not whole (1 pixels, such as 1.5)"' '' info --shares --json odd_values
has '"valid_pixels":2,' '"pixels_of_no_class":1,' '{"code":1,"name":"","share":0.5}'
truncate -s 32000000 wide
envi wide 4000000 8 1
expect 0 'valid pixels  *32000000$' '' info --shares wide
has ' 0  *, 100.00 %'
rm -f odd_values* wide*
expect 5 '' 'no metaseg model' info "$fixtures/other.safetensors"
run info "$fixtures/good.tif" "$fixtures/text.tif" "$fixtures/model.safetensors"
[ $got = 3 ] || fail "exit code $got after one bad file of three"
has 'good.tif' 'class 16'

# eval: measurements are no class values, also where only the mark in the file tells it
for kind in confidence probabilities; do
    printf '<VRTDataset rasterXSize="40" rasterYSize="30"><Metadata><MDI key="METASEG_KIND">%s</MDI></Metadata><VRTRasterBand dataType="Byte" band="1"><SimpleSource><SourceFilename relativeToVRT="0">%s</SourceFilename></SimpleSource></VRTRasterBand></VRTDataset>' $kind "$fixtures/good.tif" >kind.vrt
    expect 4 '' "kind.vrt': it is a raster of $kind (METASEG_KIND).*expected class values" eval kind.vrt kind.vrt --by-pixel
done
rm kind.vrt
exit $failed
