/* SPDX-License-Identifier: Apache-2.0
 * Against Pillow: Image.fromarray(a, "F").resize((s, s), BICUBIC) of a 6 x 6 image, and NEAREST of its numbers (but where a centre lies
 * on an edge: Pillow adds up steps in double and may fall on either side of it). */
#include "data/window_scale.h"

#include "harness/unit.h"

#include <math.h>

enum { SIDE = 6, SHOWN = 12 };

typedef struct Case {
    int64_t side;
    double first[SHOWN], sum;
    uint8_t nearest[16];
} Case;

static const Case cases[] = {
    { 4,
      { -0.31657475233078003, 0.7652482390403748, 1.283238410949707, 0.002757093170657754, -0.41952502727508545,
        0.5438041687011719, 0.4099632203578949, 1.4594006538391113, 0.4327809810638428, 0.3028782308101654,
        0.16097572445869446, 1.2235883474349976 },
      8.657988181570545,
      { 0, 2, 3, 5, 12, 14, 15, 17, 18, 20, 21, 23, 30, 32, 33, 35 } },
    { 9,
      { -2.2960526943206787, -0.30108359456062317, 1.3513188362121582, -0.5080257058143616, 1.3877466917037964,
        3.2583911418914795, 1.3789443969726562, -0.26354488730430603, -1.1973683834075928, -1.8397833108901978,
        0.34775087237358093, 2.1663262844085693 },
      43.872541109099984,
      { 0, 1, 1, 2, 3, 3, 4, 5, 5, 6, 7, 7, 8, 9, 9, 10 } },
};

static void like_pillow(void **state)
{
    (void)state;
    float two[SIDE * SIDE * 2];
    uint8_t cells[SIDE * SIDE];
    for (int64_t i = 0; i < SIDE * SIDE; i++) {
        two[2 * i] = (float)((i % SIDE * 7 + i / SIDE * 13) % 11) * 0.5F - 2.0F;
        two[2 * i + 1] = -3.0F; /* a constant band stays what it is */
        cells[i] = (uint8_t)i;
    }
    for (int64_t c = 0; c < ARRAY_LEN(cases); c++) {
        float got[9 * 9 * 2];
        uint8_t nearest[9 * 9];
        const int64_t side = cases[c].side;
        double sum = 0.0;
        ASSERT_OK(window_scale_image(two, SIDE, 2, side, got));
        for (int64_t i = 0; i < SHOWN; i++) assert_true(fabs((double)got[2 * i] - cases[c].first[i]) < 1e-6);
        for (int64_t i = 0; i < side * side; i++) sum += (double)got[2 * i];
        for (int64_t i = 0; i < side * side; i++) assert_true(fabsf(got[2 * i + 1] + 3.0F) < 1e-6F);
        assert_true(fabs(sum - cases[c].sum) < 1e-5);
        window_scale_cells(cells, SIDE, 1, side, nearest);
        assert_memory_equal(nearest, cases[c].nearest, sizeof cases[c].nearest);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(like_pillow) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
