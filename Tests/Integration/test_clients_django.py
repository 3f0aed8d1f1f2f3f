"""Django on a marked table and on a plaintext twin: migrations, ORM lookups, the admin and inspectdb give the same. The work is done
in a process of its own, since Django's settings are one a process; it prints what it sees."""

import io
import json
import re
import os
import subprocess
import sys
import tempfile
import types

from cloister_testlib import clinic as tables


def work():
    import django
    from django.conf import settings

    application = types.ModuleType("clinic")
    application.__path__ = [tempfile.gettempdir()]
    sys.modules["clinic"] = application
    direct = os.environ["PGPORT"] == os.environ["CLOISTER_DIRECT_PORT"]
    database = {
        "ENGINE": "django.db.backends.postgresql", "NAME": os.environ["PGDATABASE"], "USER": os.environ["PGUSER"],
        "PASSWORD": os.environ["PGPASSWORD"], "HOST": os.environ["PGHOST"], "PORT": os.environ["PGPORT"],
        "OPTIONS": {"options": f"-c search_path={'plain' if direct else 'public'}", "server_side_binding": os.environ["SERVER_SIDE"] == "1"},
    }  # fmt: skip
    settings.configure(
        DATABASES={"default": database}, USE_TZ=True, TIME_ZONE="UTC", SECRET_KEY="tests", ROOT_URLCONF=__name__, DEBUG=False,
        INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth", "django.contrib.admin", "django.contrib.sessions",
                        "django.contrib.messages", "clinic"],
        MIDDLEWARE=["django.contrib.sessions.middleware.SessionMiddleware", "django.contrib.auth.middleware.AuthenticationMiddleware",
                    "django.contrib.messages.middleware.MessageMiddleware"],
        # Tables from the models: their hundred migrations are not what is tested.
        MIGRATION_MODULES={label: None for label in ("contenttypes", "auth", "admin", "sessions")},
        PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
        TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True, "OPTIONS": {"context_processors": [
            "django.template.context_processors.request", "django.contrib.auth.context_processors.auth",
            "django.contrib.messages.context_processors.messages"]}}],
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField", ALLOWED_HOSTS=["*"], MESSAGE_STORAGE="django.contrib.messages.storage.session.SessionStorage",
    )  # fmt: skip
    django.setup()
    from django.contrib import admin
    from django.contrib.auth.models import User
    from django.core.management import call_command
    from django.db import DatabaseError, IntegrityError, connection, migrations, models, transaction
    from django.db.models import Count, F, Max, Min, Q
    from django.db.models.functions import Upper
    from django.test import Client
    from django.urls import path

    class Numeric(models.DecimalField):
        def db_type(self, connection):
            return "numeric"

    class Patient(models.Model):
        id = models.IntegerField(primary_key=True)
        ssn = models.TextField(unique=True, null=True, blank=True)
        name = models.TextField(null=True, blank=True)
        born = models.DateField(null=True, blank=True)
        balance = Numeric(null=True, blank=True, max_digits=30, decimal_places=3)
        visits = models.IntegerField(null=True, blank=True)
        seen = models.DateTimeField(null=True, blank=True)
        active = models.BooleanField(null=True, blank=True)
        token = models.UUIDField(null=True, blank=True)
        photo = models.BinaryField(null=True, blank=True)
        big = models.BigIntegerField(null=True, blank=True)
        score = models.FloatField(null=True, blank=True)
        code = models.CharField(max_length=10, null=True, blank=True)
        city = models.TextField(null=True, blank=True)

        class Meta:
            app_label = "clinic"
            db_table = "patients_django"
            indexes = [models.Index(fields=["name", "born"], name="patients_django_name")]

    class PatientAdmin(admin.ModelAdmin):
        list_display = ["id", "name", "born", "visits"]
        list_filter = ["active"]
        search_fields = ["name__startswith", "ssn__exact"]
        ordering = ["name", "id"]
        date_hierarchy = None

    admin.site.register(Patient, PatientAdmin)
    globals()["urlpatterns"] = [path("admin/", admin.site.urls)]

    out = []
    call_command("migrate", verbosity=0, run_syncdb=True)
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS patients_django")
    # A migration of the model, applied by the migration machinery's own operations.
    fields = [(f.name, f.clone()) for f in Patient._meta.local_fields if f.name != "city"]
    steps = [
        migrations.CreateModel("Patient", fields, options={"db_table": "patients_django", "indexes": []}),
        migrations.AddField("Patient", "city", models.TextField(null=True)),
        migrations.AddIndex("Patient", models.Index(fields=["name", "born"], name="patients_django_name")),
    ]
    from django.db.migrations.migration import Migration
    from django.db.migrations.state import ProjectState

    migration = Migration("0001_initial", "clinic")
    migration.operations = steps
    with connection.schema_editor() as editor:
        migration.apply(ProjectState(), editor)

    names = tables.COLUMNS.split(", ")
    for row in tables.ROWS[:2]:
        Patient.objects.create(**dict(zip(names, row)))
    Patient.objects.bulk_create([Patient(**dict(zip(names, row))) for row in tables.ROWS[2:]])
    objects = Patient.objects
    seen = tables.ROWS[0][6]
    queries = {
        "all": objects.order_by("id"), "exact": objects.filter(name="Ada"), "in": objects.filter(name__in=["Ada", "ada"]).order_by("id"),
        "gt": objects.filter(visits__gt=3), "lte": objects.filter(born__lte=tables.ROWS[3][3]).order_by("born"),
        "range": objects.filter(balance__range=(0, 100)).order_by("id"), "isnull": objects.filter(name__isnull=True),
        "exclude": objects.exclude(name="Ada").order_by("id"), "q": objects.filter(Q(visits=3) | Q(ssn="222-22")).order_by("id"),
        "order": objects.order_by("-visits", "id"), "nulls": objects.order_by(F("born").desc(nulls_last=True), "id"),
        "startswith": objects.filter(name__startswith="A"), "contains": objects.filter(name__contains="'L'"),
        "iexact": objects.filter(name__iexact="ADA").order_by("id"), "iexact with %": objects.filter(name__iexact="A%"),
        "istartswith": objects.filter(name__istartswith="a").order_by("id"), "icontains": objects.filter(name__icontains="B").order_by("id"),
        "iendswith": objects.filter(name__iendswith="DA").order_by("id"), "not icontains": objects.exclude(name__icontains="d").order_by("id"),
        "pattern characters": objects.filter(Q(name__icontains="_") | Q(name__istartswith="%") | Q(name__contains="\\") | Q(code__endswith="_1")).order_by("id"),
        "code": objects.filter(code__icontains="-").order_by("-code"), "q of patterns": objects.filter(Q(name__icontains="o") & ~Q(name__startswith="A")).order_by("id"),
        "endswith": objects.filter(name__endswith="a").order_by("id"), "deterministic": objects.filter(token=tables.ROWS[1][8], big=-5),
        "seen": objects.filter(seen__gte=seen).order_by("seen"), "active": objects.filter(active=True).order_by("id"),
        "distinct": objects.values("visits").distinct().order_by("visits"), "slice": objects.order_by("name")[1:3],
    }  # fmt: skip
    for name, query in queries.items():
        out.append([name, [{k: bytes(v).hex() if isinstance(v, memoryview) else str(v) for k, v in row.items()} for row in query.values()]])
    out.append(str(objects.aggregate(Min("born"), Max("balance"), Count("name"), Count("visits", distinct=True))))
    out.append(str(list(objects.values("visits").annotate(n=Count("id")).filter(n__gt=1).order_by("visits"))))
    out.append([objects.get(pk=1).name, objects.filter(ssn="111-11").exists(), objects.count(), str(list(objects.values_list("token", flat=True).order_by("id")))])
    one = objects.get(ssn="111-11")
    one.visits, one.photo = 50, b"new"
    one.save()
    out.append([objects.filter(visits=50).update(code="changed"), str(objects.get(visits=50).code), objects.select_for_update().filter(pk=1) is not None])
    out.append(str(objects.get_or_create(ssn="999-99", defaults={"id": 90, "name": "New"})[1]))
    out.append(str(objects.update_or_create(ssn="999-99", defaults={"name": "Newer"})[0].name))
    try:
        with transaction.atomic():
            objects.create(id=91, ssn="111-11")
    except IntegrityError as error:
        out.append(error.__cause__.sqlstate)
    try:
        with transaction.atomic():
            objects.filter(visits=50).delete()
            raise ZeroDivisionError
    except ZeroDivisionError:
        out.append(objects.filter(visits=50).count())
    out.append([p.name for p in objects.order_by("id").iterator(chunk_size=2)])
    out.append(str(objects.bulk_update([Patient(id=n, visits=n) for n in (1, 2)], ["visits"])))
    out.append(str(list(objects.order_by("id").values_list("id", "visits"))))

    # The admin, by its test client.
    User.objects.filter(username="root").delete()
    User.objects.create_superuser("root", "root@example.org", "secret")
    client = Client()
    client.login(username="root", password="secret")
    for address in ("", "?active__exact=1", "?q=Ada", "?q=111-11", "?o=-3", "2/change/", "add/"):
        answer = client.get(f"/admin/clinic/patient/{address}")
        body = re.sub(r'csrfmiddlewaretoken" value="[^"]*"', "", answer.content.decode())  # random, and may hold anything
        out.append([address, answer.status_code, [row[1] in body or str(row[2]) in body for row in tables.ROWS if row[1]], body.count("<tr>")])
    changed = client.post("/admin/clinic/patient/5/change/", {"id": "5", "ssn": "555-55", "name": "By the admin", "born": "2001-09-09", "visits": "1", "active": "unknown"})
    out.append([changed.status_code, objects.get(pk=5).name])

    text = io.StringIO()
    call_command("inspectdb", "patients_django", stdout=text)
    out.append(text.getvalue().splitlines())
    if not direct:
        refusals = []
        for query in (objects.annotate(u=Upper("name")), ):
            try:
                with transaction.atomic():
                    list(query)
            except DatabaseError as error:
                refusals.append(error.__cause__.sqlstate)
        print("refused", refusals, file=sys.stderr)
    print(json.dumps(out, default=str))


if __name__ == "__main__":
    work()
else:
    import pytest
    from test_clients_programs import environment

    @pytest.mark.parametrize("server_side", [False, True], ids=["client-side", "server-side"])
    def test_django(clinic, server_side):
        outputs = []
        for direct in (False, True):
            values = environment(clinic, direct, SERVER_SIDE=str(int(server_side)))
            ran = subprocess.run([sys.executable, __file__], capture_output=True, text=True, timeout=120, check=False, env=values)
            assert ran.returncode == 0, ran.stderr[-3000:]
            outputs.append(json.loads(ran.stdout))
            assert direct or "refused ['0A000']" in ran.stderr
        found = tables.difference(*outputs)
        assert not found, found
        assert ["By the admin"] == [step[1] for step in outputs[0] if isinstance(step, list) and step[0] == 302]
