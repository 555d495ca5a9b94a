#include "image.h"

#include <assert.h>
#include <math.h>
#include <string.h>

/* Waves that move, and a bright disc on its way. */
void image_draw(struct image *image, unsigned width, unsigned height, unsigned number)
{
    double columns[IMAGE_WIDTH];
    double at = number * 0.05, centre_x = 0.5 + 0.3 * sin(at), centre_y = 0.5 + 0.3 * cos(at * 1.3);
    image->width = width;
    image->height = height;
    for (unsigned column = 0; column < width; column++)
        columns[column] = 110 + 33 * sin(9 * (column + 0.5) / width + at);
    for (unsigned row = 0; row < height; row++) {
        double y = (row + 0.5) / height, dy = y - centre_y;
        double wave = 25 * cos(7 * y - at * 0.7);
        for (unsigned column = 0; column < width; column++) {
            double dx = (column + 0.5) / width - centre_x;
            double disc = dx * dx + dy * dy < 0.02 ? 60 : 0;
            image->bytes[row * width + column] = (uint8_t)(columns[column] + wave + disc);
        }
    }
    for (unsigned plane = 1; plane < 3; plane++)
        memset(image_plane(image, plane), (int)(100 + (plane * 20 + number / 4) % 50),
               (size_t)width * height / 4);
}

void image_copy(struct image *image, unsigned width, unsigned height,
                const uint8_t *const planes[3], const ptrdiff_t strides[3])
{
    assert(width <= IMAGE_WIDTH && height <= IMAGE_HEIGHT);
    image->width = width;
    image->height = height;
    for (unsigned plane = 0; plane < 3; plane++) {
        unsigned columns = plane ? width / 2 : width, rows = plane ? height / 2 : height;
        uint8_t *to = image_plane(image, plane);
        for (unsigned row = 0; row < rows; row++)
            memcpy(to + row * columns, planes[plane] + (ptrdiff_t)row * strides[plane], columns);
    }
}

uint64_t image_hash(const struct image *image)
{
    uint64_t hash = 14695981039346656037u ^ image->width;
    size_t size = (size_t)image->width * image->height * 3 / 2;
    for (size_t i = 0; i + 8 <= size; i += 8) {
        uint64_t word;
        memcpy(&word, image->bytes + i, 8);
        hash = (hash ^ word) * 1099511628211u;
        hash ^= hash >> 29;
    }
    return hash;
}

double image_psnr(const struct image *a, const struct image *b)
{
    assert(a->width == b->width && a->height == b->height);
    uint64_t sum = 0;
    size_t count = (size_t)a->width * a->height;
    for (size_t i = 0; i < count; i++) {
        int difference = a->bytes[i] - b->bytes[i];
        sum += (uint64_t)(difference * difference);
    }
    return sum ? 10 * log10(255.0 * 255.0 * (double)count / (double)sum) : 100;
}
