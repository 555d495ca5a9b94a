#include "shell/certificate_make.h"

#include "shell/certificate.h"
#include "shell/machine.h"
#include "shell/state_file.h"

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

#define VALID_DAYS 3650
#define FILE_NAME  "certificate.pem"

void certificate_path(const struct settings *settings, char out[CERTIFICATE_PATH_SIZE])
{
    state_file_path(settings, FILE_NAME, out);
}

/* ---- the certificate ---- */

static bool add_name(GENERAL_NAMES *names, int type, const void *bytes, size_t size)
{
    GENERAL_NAME *name = GENERAL_NAME_new();
    ASN1_STRING *value =
        ASN1_STRING_type_new(type == GEN_DNS ? V_ASN1_IA5STRING : V_ASN1_OCTET_STRING);
    if (!name || !value || !ASN1_STRING_set(value, bytes, (int)size)) {
        GENERAL_NAME_free(name);
        ASN1_STRING_free(value);
        return false;
    }
    GENERAL_NAME_set0_value(name, type, value);
    if (sk_GENERAL_NAME_push(names, name) > 0)
        return true;
    GENERAL_NAME_free(name);
    return false;
}

static bool add_address(GENERAL_NAMES *names, const struct address *address)
{
    size_t size = address->family == ADDRESS_IPV4 ? 4 : 16;
    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
        const GENERAL_NAME *other = sk_GENERAL_NAME_value(names, i);
        if (other->type == GEN_IPADD && ASN1_STRING_length(other->d.ip) == (int)size &&
            memcmp(ASN1_STRING_get0_data(other->d.ip), address->bytes, size) == 0)
            return true;
    }
    return add_name(names, GEN_IPADD, address->bytes, size);
}

static bool fill_names(GENERAL_NAMES *names, const struct settings *settings)
{
    static const struct address loopbacks[] = {
        { .family = ADDRESS_IPV4, .bytes = { 127, 0, 0, 1 } },
        { .family = ADDRESS_IPV6, .bytes = { [15] = 1 } },
    };
    struct address addresses[MACHINE_ADDRESSES_MAX];
    char name[MACHINE_NAME_SIZE];
    uint32_t count = machine_addresses(addresses);

    machine_name(name);
    bool ok = add_name(names, GEN_DNS, "localhost", 9);
    if (name[0] && strcmp(name, "localhost") != 0)
        ok = ok && add_name(names, GEN_DNS, name, strlen(name));
    for (size_t i = 0; i < 2; i++)
        ok = ok && add_address(names, &loopbacks[i]);
    for (uint32_t i = 0; i < count; i++)
        ok = ok && add_address(names, &addresses[i]);
    for (uint32_t i = 0; i < settings->rtc_public_ip.count; i++)
        ok = ok && add_address(names, &settings->rtc_public_ip.items[i]);
    return ok;
}

static bool set_serial(X509 *certificate)
{
    BIGNUM *number = BN_new();
    bool ok = number && BN_rand(number, 127, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) &&
              BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate));
    BN_free(number);
    return ok;
}

static bool add_extension(X509 *certificate, int which, const char *value)
{
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, certificate, certificate, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, which, value);
    bool ok = extension && X509_add_ext(certificate, extension, -1);
    X509_EXTENSION_free(extension);
    return ok;
}

static bool fill(X509 *certificate, EVP_PKEY *key, const struct settings *settings, time_t now)
{
    GENERAL_NAMES *names = sk_GENERAL_NAME_new_null();
    X509_NAME *subject = X509_get_subject_name(certificate);
    bool ok = names && fill_names(names, settings) &&
              X509_set_version(certificate, X509_VERSION_3) && set_serial(certificate) &&
              X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const uint8_t *)"moim", -1,
                                         -1, 0) &&
              X509_set_issuer_name(certificate, subject) && X509_set_pubkey(certificate, key) &&
              X509_time_adj_ex(X509_getm_notBefore(certificate), -1, 0, &now) &&
              X509_time_adj_ex(X509_getm_notAfter(certificate), VALID_DAYS, 0, &now) &&
              X509_add1_ext_i2d(certificate, NID_subject_alt_name, names, 0, X509V3_ADD_DEFAULT) &&
              add_extension(certificate, NID_basic_constraints, "critical,CA:FALSE") &&
              add_extension(certificate, NID_key_usage, "critical,digitalSignature") &&
              add_extension(certificate, NID_ext_key_usage, "serverAuth") &&
              X509_sign(certificate, key, EVP_sha256()) > 0;
    GENERAL_NAMES_free(names);
    return ok;
}

/* Certificate and key as PEM; NULL when there is no memory. */
static BIO *write_pem(const struct settings *settings, int64_t unix_now_s)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *certificate = X509_new();
    BIO *pem = BIO_new(BIO_s_secmem());
    bool ok = key && certificate && pem && fill(certificate, key, settings, (time_t)unix_now_s) &&
              PEM_write_bio_X509(pem, certificate) &&
              PEM_write_bio_PrivateKey(pem, key, NULL, NULL, 0, NULL, NULL);
    EVP_PKEY_free(key);
    X509_free(certificate);
    if (ok)
        return pem;
    BIO_free(pem);
    return NULL;
}

int certificate_make(const struct settings *settings, int64_t unix_now_s,
                     char error[SETTINGS_ERROR_MAX])
{
    char *bytes;
    BIO *pem = write_pem(settings, unix_now_s);
    if (!pem) {
        snprintf(error, SETTINGS_ERROR_MAX, "the certificate can't be made: %s",
                 status_text(ERR_MEMORY));
        return ERR_MEMORY;
    }
    long size = BIO_get_mem_data(pem, &bytes);
    int status = state_file_keep(settings, FILE_NAME, view_make(bytes, (size_t)size), error);
    BIO_free(pem);
    return status;
}
