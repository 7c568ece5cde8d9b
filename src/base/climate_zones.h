/* SPDX-License-Identifier: Apache-2.0
 *
 * The 30 Koeppen-Geiger climate zones: numbers, names, one line each. Numbering of Beck et al. (2018,
 * doi 10.1038/sdata.2018.214), 0 = none (sea, unknown). Their criteria: table 2 there, after Peel, Finlayson & McMahon
 * (2007, doi 10.5194/hess-11-1633-2007).
 */
#ifndef METASEG_BASE_CLIMATE_ZONES_H
#define METASEG_BASE_CLIMATE_ZONES_H

#include <stdint.h>

enum { CLIMATE_NONE = 0, CLIMATE_ZONES = 30 };

/* "Cfb"; "none" for 0. zone in 0..CLIMATE_ZONES. */
const char *climate_zone_name(int zone);

/* "temperate, no dry season, warm summer". */
const char *climate_zone_description(int zone);

/* Number of a name, case ignored; -1 if there is no such zone. "As" is Aw, "Ocean" and "none" are 0. */
int climate_zone_number(const char *name);

#endif
