/* image.h - pictures in I420, and a film of which each one is unlike all others. */
#ifndef MOIM_TESTS_DECODE_IMAGE_H
#define MOIM_TESTS_DECODE_IMAGE_H

#include <stddef.h>
#include <stdint.h>

#define IMAGE_WIDTH  320u /* of the largest */
#define IMAGE_HEIGHT 192u
#define IMAGE_BYTES  (IMAGE_WIDTH * IMAGE_HEIGHT * 3 / 2)

struct image {
    unsigned width, height;     /* even */
    uint8_t bytes[IMAGE_BYTES]; /* Y, U and V, without gaps */
};

static inline uint8_t *image_plane(struct image *image, unsigned plane)
{
    size_t luma = (size_t)image->width * image->height;
    return image->bytes + (plane > 0) * luma + (plane > 1) * luma / 4;
}

/* The number-th picture. */
void image_draw(struct image *image, unsigned width, unsigned height, unsigned number);
/* From a decoder's planes. */
void image_copy(struct image *image, unsigned width, unsigned height,
                const uint8_t *const planes[3], const ptrdiff_t strides[3]);
uint64_t image_hash(const struct image *image);
/* Of luma, in dB; of the same size. */
double image_psnr(const struct image *a, const struct image *b);

#endif
