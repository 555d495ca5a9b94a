#include "load.h"

struct view load_material(uint16_t profile, uint32_t host, uint8_t out[SECURE_MATERIAL_MAX])
{
    for (unsigned i = 0; i < SECURE_MATERIAL_MAX; i++)
        out[i] = (uint8_t)(host * 31 + i * 7 + (host >> 8));
    return view_make(out, secure_material_size(profile));
}
