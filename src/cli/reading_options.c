/* SPDX-License-Identifier: Apache-2.0
 * From options to a reading. */
#include "cli/reading_options.h"

Err cli_reading_fill(const ReadingArgs *args, MetasegPredictOptions *o)
{
    if (args->overlap > 0 && args->overlap % 32 != 0)
        return err_set(ERR_ARGUMENT, "--overlap %lld is not a multiple of 32", (long long)args->overlap);
    o->bands = args->bands;
    o->prompts = (MetasegPrompts)args->prompts;
    o->tile = (int32_t)args->tile;
    o->overlap = (int32_t)args->overlap;
    o->crops = (int32_t)args->crops;
    o->tta = (MetasegTta)args->tta;
    return ERR_NONE;
}
