"""Coordinators: on a page of their own, and beside each wedding, new or known."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

import clock
from calendar_guard import coordinating
from calendar_guard.coordinating import FACTS
from calendar_guard.models import Coordinator, Wedding


@admin.register(Coordinator)
class CoordinatorAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = list(FACTS)
    search_fields = ["name", "email", "phone"]

    def save_model(self, request: HttpRequest, obj: Coordinator, form: Any, change: bool) -> None:
        by, now = request.user.get_username(), clock.now()
        coordinating.save_people(people=[obj], by=by, now=now)

    def delete_model(self, request: HttpRequest, obj: Coordinator) -> None:
        self.delete_queryset(request, Coordinator.objects.filter(pk=obj.pk))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Coordinator]) -> None:
        ids, by = list(queryset.values_list("pk", flat=True)), request.user.get_username()
        coordinating.remove_people(ids=ids, by=by, now=clock.now())


def _optional(name: str, width: str) -> Any:
    """A fact's own field; the row as a whole says what may be left out."""
    field: Any = Coordinator._meta.get_field(name)
    made = field.formfield(required=False, help_text="")
    made.widget.attrs["style"] = f"width: {width}"
    return made


class PersonForm(forms.ModelForm):  # type: ignore[type-arg]
    """One coordinator of a wedding. Whoever is written here is the same person everywhere.

    An e-mail address that is known names its person, so nobody is kept twice.
    """

    coordinator = forms.ModelChoiceField(
        Coordinator.objects.all(), required=False, empty_label="new person", label="Who"
    )
    name = _optional("name", "8em")
    email = _optional("email", "12em")
    phone = _optional("phone", "9.5em")
    slack_id = _optional("slack_id", "5.5em")
    language = _optional("language", "3.5em")

    class Meta:
        model = Wedding.coordinators.through
        fields = ["coordinator"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.fields["coordinator"].disabled = True
            person = self.instance.coordinator
            self.initial.update({name: getattr(person, name) for name in FACTS})

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if not cleaned.get("coordinator") and (email := cleaned.get("email")):
            cleaned["coordinator"] = Coordinator.objects.filter(email__iexact=email).first()
        if not cleaned.get("name") and (self.instance.pk or not cleaned.get("coordinator")):
            self.add_error("name", "Choose somebody, or write a name.")
        return cleaned

    def person(self) -> Coordinator:
        """As they are to be saved, with what was typed."""
        person = self.instance.coordinator if self.instance.coordinator_id else Coordinator()
        for name in self._written():
            setattr(person, name, self.cleaned_data[name])
        return person

    def _written(self) -> Iterator[str]:
        """What was typed. Beside a person who was chosen an empty field says nothing."""
        for name in FACTS:
            if name in self.changed_data and (self.cleaned_data[name] or self.instance.pk):
                yield name


class PeopleFormSet(forms.BaseInlineFormSet):  # type: ignore[type-arg]
    def save_people(self, *, by: str, now: datetime) -> None:
        """Before `save`, which writes only who coordinates what."""
        gone = self.deleted_forms
        written: list[Any] = [
            form for form in self.forms if form.has_changed() and form not in gone
        ]
        people = [form.person() for form in written]
        coordinating.save_people(people=people, by=by, now=now)
        for form, person in zip(written, people, strict=True):
            form.instance.coordinator = person


class PeopleInline(admin.TabularInline):  # type: ignore[type-arg]
    model = Wedding.coordinators.through
    form = PersonForm
    formset = PeopleFormSet
    fields = ["coordinator", *FACTS]
    extra = 1
    verbose_name = "coordinator"
    verbose_name_plural = "coordinators"
