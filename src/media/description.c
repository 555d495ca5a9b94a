#include "media/description.h"

#include <assert.h>

const char *description_problem_text(enum description_problem problem)
{
    static const char *const TEXTS[] = {
#define ROW(name, text) text,
        DESCRIPTION_PROBLEM_TABLE(ROW)
#undef ROW
    };
    assert(problem < DESCRIPTION_PROBLEMS);
    return TEXTS[problem];
}

const struct description_section *description_find(const struct description *description,
                                                   struct view mid)
{
    for (uint32_t i = 0; i < description->section_count && mid.size > 0; i++)
        if (view_equal(description->sections[i].mid, mid))
            return &description->sections[i];
    return NULL;
}
